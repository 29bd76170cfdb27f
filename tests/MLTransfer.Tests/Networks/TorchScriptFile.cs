using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tests.Checkpoints;

namespace MLTransfer.Tests.Networks;

/// <summary>TorchScript as torch.jit.save writes it: relu(weight x + bias).</summary>
internal static class TorchScriptFile
{
    public static float[] Weights(int inputs, int outputs) => [.. Enumerable.Range(0, inputs * outputs).Select(i => (i % 7 - 3) / 5f)];

    public static byte[] Linear(int inputs, int outputs)
    {
        const string code = """
            class Net(Module):
              __parameters__ = ["weight", "bias", ]
              __buffers__ = []
              weight : Tensor
              bias : Tensor
              training : bool
              _is_full_backward_hook : Optional[bool]
              def forward(self: __torch__.Net,
                input: Tensor) -> Tensor:
                weight = self.weight
                bias = self.bias
                return torch.relu(torch.linear(input, weight, bias))

            """;
        var pickle = new PickleBytes().Protocol().Global("__torch__", "Net").Op(')').Op(0x81).Op('}').Op('(')
            .Text("weight").Tensor("FloatStorage", "0", inputs * outputs, 0, [outputs, inputs], [inputs, 1])
            .Text("bias").Tensor("FloatStorage", "1", outputs, 0, [outputs], [1])
            .Text("training").Op(0x89).Text("_is_full_backward_hook").Op('N').Op('u').Op('b').Op('.');
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("data.pkl", pickle.ToArray());
            Add("code/__torch__.py", Encoding.ASCII.GetBytes(code));
            Add("data/0", MemoryMarshal.AsBytes(Weights(inputs, outputs).AsSpan()));
            Add("data/1", MemoryMarshal.AsBytes(new float[outputs].AsSpan()));
            Add("constants.pkl", new PickleBytes().Protocol().Op(')').Op('.').ToArray());
            Add("version", "3\n"u8);

            void Add(string name, ReadOnlySpan<byte> content)
            {
                using var entry = zip.CreateEntry($"net/{name}", CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }
}
