using System.IO.Compression;
using System.Text;
using MLTransfer.Torch.Metrics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Metrics;

public sealed class TorchScriptFeatureExtractorTests : IDisposable
{
    private const string MeanOfChannels = """
        class M(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def forward(self: __torch__.M,
            x: Tensor) -> Tensor:
            return torch.mean(x, [2, 3])

        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Images_are_resized_and_brought_to_the_modules_range()
    {
        using var scope = NewDisposeScope();
        WriteModule(_folder["mean.pt"]);
        var images = stack([full([3, 8, 8], -1, ScalarType.Float32), full([3, 8, 8], 0.5, ScalarType.Float32)], 0);
        using (var extractor = new TorchScriptFeatureExtractor(_folder["mean.pt"]))
            Assert.Equal([-1f, -1, -1, 0.5f, 0.5f, 0.5f], extractor.Extract(images).data<float>().ToArray());
        using (var extractor = new TorchScriptFeatureExtractor(_folder["mean.pt"], resolution: 5, black: 0, white: 255))
            Assert.Equal([0f, 0, 0, 191.25f, 191.25f, 191.25f], extractor.Extract(images).data<float>().ToArray());
    }

    [Fact]
    public void A_missing_file_or_one_of_another_kind_is_refused_by_name()
    {
        File.WriteAllText(_folder["text.pt"], "not a module");
        Assert.Contains(
            "absent.pt", Assert.Throws<FileNotFoundException>(() => new TorchScriptFeatureExtractor(_folder["absent.pt"])).Message);
        Assert.Contains("text.pt", Assert.Throws<InvalidDataException>(() => new TorchScriptFeatureExtractor(_folder["text.pt"])).Message);
    }

    /// <summary>What <c>torch.jit.save</c> writes for a module without parameters.</summary>
    private static void WriteModule(string path)
    {
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        // A pickled object of class __torch__.M with training = False, and an empty tuple.
        Add("data.pkl", [0x80, 2, .. "c__torch__\nM\n)"u8, 0x81, .. "}(X"u8, 8, 0, 0, 0, .. "training"u8, 0x89, .. "ub."u8]);
        Add("constants.pkl", [0x80, 2, .. ")."u8]);
        Add("code/__torch__.py", Encoding.UTF8.GetBytes(MeanOfChannels.ReplaceLineEndings("\n")));
        Add("version", "3\n"u8.ToArray());

        void Add(string name, byte[] content)
        {
            using var stream = archive.CreateEntry("mean/" + name, CompressionLevel.NoCompression).Open();
            stream.Write(content);
        }
    }
}
