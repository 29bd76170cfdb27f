using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Tests.Checkpoints.Gguf;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Exports;

/// <summary>What is written of the reference's checkpoints is what its files hold: keys in their order, and every byte of
/// tensors.</summary>
public sealed class GgufReferenceExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Files => GgufReferences.Files;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public void An_export_has_the_keys_and_the_bytes_of_the_reference(string name, string type)
    {
        var (path, reference) = (_folder["exported.gguf"], GgufReferences.Extract($"{name}.{type}.gguf", _folder));
        using (var model = FamilyFolders.Load(name))
        {
            GgufExporter.Export(model, TextTokenizer.Load(FamilyFolders.PathOf("gpt2-tiny")), path, new GgufExportOptions
            {
                Name = name,
                Precision = type switch { "q8_0" => GgufPrecision.Int8, "q4_0" => GgufPrecision.Int4, _ => GgufPrecision.Float32 },
            }, cancellationToken: TestContext.Current.CancellationToken);
        }

        using var expected = GgufFile.Open(reference);
        using var actual = GgufFile.Open(path);
        Assert.Equal(
            expected.Metadata.Values.Select(entry => (entry.Key, entry.Value)),
                actual.Metadata.Values.Select(entry => (entry.Key, entry.Value)));
        Assert.Equal(
            expected.Stored.Values.Select(tensor => (tensor.Name, tensor.Type, string.Join(' ', tensor.Shape)))
                .OrderBy(tensor => tensor.Name),
            actual.Stored.Values.Select(tensor => (tensor.Name, tensor.Type, string.Join(' ', tensor.Shape)))
                .OrderBy(tensor => tensor.Name));
        Assert.All(expected.Stored.Keys, tensor => Assert.Equal(BytesOf(reference, tensor), BytesOf(path, tensor)));
    }

    private static byte[] BytesOf(string path, string name)
    {
        var content = File.ReadAllBytes(path);
        unsafe
        {
            fixed (byte* memory = content)
            {
                var header = GgufHeader.Read(new GgufReader(memory, content.Length, path));
                var tensor = header.Tensors.Single(tensor => tensor.Name == name);
                return content.AsSpan((int)(header.DataStart + tensor.Offset), (int)tensor.Bytes).ToArray();
            }
        }
    }
}
