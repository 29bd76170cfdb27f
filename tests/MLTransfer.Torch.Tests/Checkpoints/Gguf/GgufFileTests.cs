using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Xunit;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints.Gguf;

/// <summary>Files of the reference are read as it says, and written with its bytes.</summary>
public sealed class GgufFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Files => GgufReferences.Files;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_holds_what_the_reference_says(string model, string type)
    {
        var content = GgufReferences.ContentOf(model, type);
        using var file = GgufFile.Open(GgufReferences.Extract($"{model}.{type}.gguf", _folder));
        Assert.Equal(
            content.GetProperty("metadata").EnumerateObject().Select(entry => (entry.Name, Describe(entry.Value.GetProperty("value")))),
            file.Metadata.Values.Select(entry => (entry.Key, Describe(entry.Value))));
        Assert.Equal(
            content.GetProperty("tensors").EnumerateArray().Select(tensor => (
                tensor.GetProperty("name").GetString(), tensor.GetProperty("type").GetString(),
                string.Join(' ', tensor.GetProperty("dimensions").EnumerateArray().Reverse()), tensor.GetProperty("offset").GetInt64(),
                tensor.GetProperty("bytes").GetInt64())),
            file.Stored.Values.Select(tensor =>
                ((string?)tensor.Name, (string?)tensor.Type.Name, string.Join(' ', tensor.Shape), tensor.Offset, tensor.Bytes)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void What_is_read_and_written_again_has_the_same_bytes(string model, string type)
    {
        var (path, copy) = (GgufReferences.Extract($"{model}.{type}.gguf", _folder), _folder["copy.gguf"]);
        using (var file = GgufFile.Open(path))
        {
            GgufWriter.Write(copy, file.Metadata, [.. file.Stored.Values.Select(
                tensor => new GgufOutput(tensor.Name, tensor.Type, tensor.Shape, () => file.Read(tensor.Name)))],
                cancellationToken: TestContext.Current.CancellationToken);
        }

        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(copy));
    }

    [Fact]
    public void Every_kind_of_value_is_written_and_read()
    {
        var metadata = new GgufMetadata("test");
        foreach (var (key, value) in TinyGguf.Values)
            metadata.Add(key, value);
        GgufWriter.Write(_folder["values.gguf"], metadata, [], cancellationToken: TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(_folder["values.gguf"]);
        Assert.Equal(TinyGguf.Values.Select(entry => (entry.Key, entry.Value)), file.Metadata.Values.Select(e => (e.Key, e.Value)));
    }

    [Property(MaxTest = 40)]
    public void Any_values_and_tensors_are_written_and_read(
        Dictionary<NonNull<string>, int> numbers, NonNull<string>[] texts, double[] values, PositiveInt rows, NonNegativeInt columns)
    {
        var metadata = new GgufMetadata("test");
        foreach (var (key, number) in numbers)
            metadata.TryAdd(Text(key), number);
        metadata.TryAdd("texts", texts.Select(Text).ToArray());
        metadata.TryAdd("values", values);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var weights = torch.randn([rows.Get, 32 * (1 + columns.Get % 5)], generator: generator);
        GgufTensorType[] types = [GgufTensorType.F32, GgufTensorType.F16, GgufTensorType.BF16, GgufTensorType.Q8_0, GgufTensorType.Q4_0];
        GgufWriter.Write(_folder["any.gguf"], metadata, [
            .. types.Select(type => new GgufOutput(type.Name, type, weights.shape, () => weights.alias()))]);
        using var file = GgufFile.Open(_folder["any.gguf"]);
        Assert.Equal(metadata.Values.Select(entry => (entry.Key, entry.Value)), file.Metadata.Values.Select(e => (e.Key, e.Value)));
        var largest = weights.abs().max().item<float>();
        foreach (var (type, tolerance) in types.Zip((float[])[0, 1e-3f, 1e-2f, 1e-2f, 0.15f]))
        {
            Assert.InRange(
                (file.Read(type.Name).to(ScalarType.Float32) - weights).abs().max().item<float>(), 0, tolerance * largest);
        }

        // What is no Unicode has no bytes in UTF-8.
        static string Text(NonNull<string> text) => new([.. text.Get.Where(unit => !char.IsSurrogate(unit))]);
    }

    [Fact]
    public void Formats_without_blocks_are_views_of_the_file_and_give_their_memory_back()
    {
        using var scope = NewDisposeScope();
        var values = torch.arange(64 * 96, ScalarType.Float32).reshape(64, 96) / 7;
        GgufOutput Output(GgufTensorType type) => new(type.Name, type, [64, 96], () => values.alias());
        GgufWriter.Write(_folder["views.gguf"], new GgufMetadata("test"), [
            Output(GgufTensorType.F32), Output(GgufTensorType.F16), Output(GgufTensorType.BF16)],
            cancellationToken: TestContext.Current.CancellationToken);
        using var file = Checkpoint.OpenFile(_folder["views.gguf"]);
        foreach (var (name, type) in file.Tensors.Select(tensor => (tensor.Key, tensor.Value.DataType)))
        {
            using var first = file.Read(name);
            using var second = file.Read(name);
            Assert.True(first.eq(values.to(type)).all().item<bool>());
            first[0, 0] = 5;
            Assert.Equal(5, second[0, 0].to(ScalarType.Float32).item<float>());
            file.ReleaseMemory(name);
        }
    }

    [Fact]
    public void Tensors_are_read_when_it_is_their_turn_and_given_back_before_the_next()
    {
        var read = new List<Tensor>();
        GgufOutput Output(string name) => new(name, GgufTensorType.Q8_0, [4, 64], () =>
        {
            Assert.All(read, before => Assert.True(before.IsInvalid));
            read.Add(torch.ones(4, 64));
            return read[^1];
        });
        GgufWriter.Write(_folder["model.gguf"], new GgufMetadata("test"), [Output("a"), Output("b"), Output("c")],
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(3, read.Count);
        Assert.All(read, tensor => Assert.True(tensor.IsInvalid));
    }

    [Fact]
    public void A_tensor_that_cannot_be_written_leaves_the_file_as_it_was()
    {
        var path = _folder["model.gguf"];
        File.WriteAllText(path, "before");
        var good = new GgufOutput("good", GgufTensorType.F32, [32], () => torch.ones(32));
        foreach (var (bad, message) in new (GgufOutput, string)[]
        {
            (new("good", GgufTensorType.F32, [32], () => torch.ones(32)), "two tensors"),
            (new("short", GgufTensorType.Q8_0, [2, 16], () => torch.ones(2, 16)), "Q8_0"),
            (new(new string('n', 64), GgufTensorType.F32, [32], () => torch.ones(32)), "longer"),
            (new("other", GgufTensorType.F32, [32], () => torch.ones(31)), "31"),
            (new("infinite", GgufTensorType.Q8_0, [32], () => torch.full(32, float.PositiveInfinity)), "finite"),
        })
        {
            var exception = Assert.ThrowsAny<Exception>(() => GgufWriter.Write(path, new GgufMetadata("test"), [good, bad],
                cancellationToken: TestContext.Current.CancellationToken));
            Assert.Contains(message, exception.Message, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(bad.Name, exception.Message, StringComparison.Ordinal);
        }

        Assert.Equal("before", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{value.GetProperty("length").GetInt32()} "
            + string.Join(
                ' ', value.GetProperty("first").EnumerateArray().Concat(value.GetProperty("last").EnumerateArray()).Select(Describe)),
        JsonValueKind.Number => ((float)value.GetDouble()).ToString(CultureInfo.InvariantCulture),
        JsonValueKind.String => value.GetString()!,
        _ => value.GetBoolean().ToString(),
    };

    private static string Describe(object value) => value switch
    {
        string text => text,
        Array list =>
            $"{list.Length} " + string.Join(' ', list.Cast<object>().Take(8).Concat(list.Cast<object>().TakeLast(3)).Select(Describe)),
        bool flag => flag.ToString(),
        _ => Convert.ToSingle(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
    };
}
