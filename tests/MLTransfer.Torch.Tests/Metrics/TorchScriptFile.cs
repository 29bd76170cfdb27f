using System.IO.Compression;
using System.Text;

namespace MLTransfer.Torch.Tests.Metrics;

/// <summary>Writes what <c>torch.jit.save</c> writes for a module without parameters.</summary>
internal static class TorchScriptFile
{
    /// <param name="path">The file.</param>
    /// <param name="value">What <c>forward</c> returns of <c>x</c>.</param>
    public static void Write(string path, string value)
    {
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        // A pickled object of class __torch__.M with training = False, and an empty tuple.
        Add("data.pkl", [0x80, 2, .. "c__torch__\nM\n)"u8, 0x81, .. "}(X"u8, 8, 0, 0, 0, .. "training"u8, 0x89, .. "ub."u8]);
        Add("constants.pkl", [0x80, 2, .. ")."u8]);
        Add("code/__torch__.py", Encoding.UTF8.GetBytes($"""
            class M(Module):
              __parameters__ = []
              __buffers__ = []
              training : bool
              def forward(self: __torch__.M,
                x: Tensor) -> Tensor:
                return {value}

            """.ReplaceLineEndings("\n")));
        Add("version", "3\n"u8.ToArray());

        void Add(string name, byte[] content)
        {
            using var stream = archive.CreateEntry("module/" + name, CompressionLevel.NoCompression).Open();
            stream.Write(content);
        }
    }
}
