using System.IO.Compression;
using System.Text;
using FsCheck.Xunit;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

public class SafetensorsRoundTripTests
{
    [Property(Arbitrary = [typeof(TensorSpecifications)], MaxTest = 60)]
    public void What_is_written_is_read_again_from_a_file_and_from_a_stream(List<TensorSpecification> specifications)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var tensors = specifications.ToDictionary(tensor => tensor.Name, tensor => tensor.Create());
        string path = folder["any.safetensors"];
        SafetensorsWriter.Write(path, tensors);
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            TensorBytes.AssertHolds(tensors, file);
            Assert.Equal([KeyValuePair.Create("format", "pt")], file.Metadata);
        }

        byte[] bytes = File.ReadAllBytes(path);
        using (SafetensorsFile read = SafetensorsFile.Read(new MemoryStream(bytes))) TensorBytes.AssertHolds(tensors, read);
        using (SafetensorsFile read = SafetensorsFile.Read(new TricklingStream(bytes))) TensorBytes.AssertHolds(tensors, read);
    }

    [Fact]
    public void Metadata_of_any_text_is_read_again()
    {
        using var scope = NewDisposeScope();
        var metadata = new Dictionary<string, string> { ["format"] = "pt", ["quotes \" and \\"] = "line\r\n\u0001\u2028 🧡", [""] = "" };
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, [KeyValuePair.Create("a", ones(2))], metadata);
        stream.Position = 0;
        using SafetensorsFile file = SafetensorsFile.Read(stream);
        Assert.Equal(metadata, file.Metadata.ToDictionary());
    }

    [Fact]
    public void A_deflated_entry_of_a_zip_is_read_without_seeking()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor> { ["weight"] = randn(100, 300), ["bias"] = zeros(300) };
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using Stream entry = zip.CreateEntry("model.safetensors").Open();
            SafetensorsWriter.Write(entry, tensors);
        }
        using var archive = new ZipArchive(stream);
        using Stream packed = archive.GetEntry("model.safetensors")!.Open();
        using SafetensorsFile file = SafetensorsFile.Read(packed, "model.zip/model.safetensors");
        TensorBytes.AssertHolds(tensors, file);
    }

    [Fact]
    public void Tensors_of_any_layout_in_memory_are_stored_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        Tensor matrix = arange(24, dtype: ScalarType.Float32).view(4, 6);
        var tensors = new Dictionary<string, Tensor>
        {
            ["transposed"] = matrix.t(),
            ["every second column"] = matrix.slice(1, 0, 6, 2),
            ["expanded"] = matrix[0].expand(3, 6),
            ["with gradient"] = randn([2, 2], requires_grad: true),
        };
        AssertRoundTrip(tensors);
    }

    [Fact]
    public void Values_that_are_not_numbers_keep_their_bits()
    {
        using var scope = NewDisposeScope();
        byte[] bits = [0x01, 0x00, 0xc0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x80, 0xff, 0x00, 0x00, 0x00, 0x80];
        AssertRoundTrip(new() { ["special"] = TensorBytes.From(bits, ScalarType.Float32, 4) });
    }

    [Fact]
    public void Only_floating_point_tensors_are_converted_and_in_pieces_too()
    {
        using var scope = NewDisposeScope();
        // More elements than are converted at a time.
        var tensors = new Dictionary<string, Tensor>
            { ["large"] = randn((1 << 22) + 3), ["double"] = randn(5, dtype: ScalarType.Float64), ["ids"] = arange(7) };
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, tensors, storeAs: ScalarType.BFloat16);
        stream.Position = 0;
        using SafetensorsFile file = SafetensorsFile.Read(stream);
        TensorBytes.AssertHolds(new Dictionary<string, Tensor>
        {
            ["large"] = tensors["large"].to(ScalarType.BFloat16),
            ["double"] = tensors["double"].to(ScalarType.BFloat16),
            ["ids"] = tensors["ids"],
        }, file);
    }

    [Fact]
    public void A_file_without_tensors_is_written_and_read()
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, [], new Dictionary<string, string>());
        Assert.Equal("{}      ", Encoding.ASCII.GetString(stream.ToArray().AsSpan(8)));
        stream.Position = 0;
        using SafetensorsFile file = SafetensorsFile.Read(stream);
        Assert.Empty(file.Tensors);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void What_the_format_cannot_hold_is_refused_before_anything_is_written()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        Tensor tensor = ones(1);
        Assert.Contains("'a'", Refused([new("a", tensor), new("a", tensor)]), StringComparison.Ordinal);
        Assert.Contains("__metadata__", Refused([new("__metadata__", tensor)]), StringComparison.Ordinal);
        Assert.Contains("ComplexFloat32", Refused([new("c", ones(1, dtype: ScalarType.ComplexFloat32))]), StringComparison.Ordinal);
        Assert.Contains("Unicode", Refused([new("\ud800", tensor)]), StringComparison.Ordinal);
        Assert.Contains("Int32", Refused([new("a", tensor)], ScalarType.Int32), StringComparison.Ordinal);
        Assert.Equal(0, stream.Length);

        string Refused(KeyValuePair<string, Tensor>[] tensors, ScalarType? storeAs = null) =>
            Assert.ThrowsAny<ArgumentException>(() => SafetensorsWriter.Write(stream, tensors, storeAs: storeAs)).Message;
    }

    private static void AssertRoundTrip(Dictionary<string, Tensor> tensors)
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder["any.safetensors"], tensors);
        using SafetensorsFile file = SafetensorsFile.Open(folder["any.safetensors"]);
        TensorBytes.AssertHolds(tensors, file);
    }
}
