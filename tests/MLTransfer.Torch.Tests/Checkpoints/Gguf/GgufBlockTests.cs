using System.Text.Json;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Checkpoints.Gguf.Blocks;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints.Gguf;

/// <summary>Blocks have the bytes of the reference, and stand for its values.</summary>
public class GgufBlockTests
{
    private static readonly JsonElement s_reference =
        JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Data("gguf/quantization.json"))).RootElement;

    public static TheoryData<string> DecodedTypes =>
        new(s_reference.GetProperty("decode_only").EnumerateObject().Select(type => type.Name).Where(name => name != "BF16"));

    public static TheoryData<string, string> RoundedMatrices =>
        new(from matrix in (string[])["a", "b"] from type in (string[])["q8_0", "q4_0"] select (matrix, type));

    public static TheoryData<string, string> OlderTypes =>
        new(from matrix in (string[])["a", "b"] from type in (string[])["q4_1", "q5_0", "q5_1"] select (matrix, type));

    [Theory]
    [MemberData(nameof(RoundedMatrices))]
    public void Values_are_rounded_to_the_bytes_of_the_reference_and_stand_for_its_values(string matrix, string name)
    {
        var type = Find(name);
        var values = Values(matrix);
        var blocks = new byte[type.BytesOf(values.Length)];
        Assert.True(BlockEncoder.TryEncode(type, values, blocks));
        Assert.Equal(
            s_reference.GetProperty("matrices").GetProperty(matrix).GetProperty(name).GetString(), Convert.ToHexStringLower(blocks));
        Assert.Equal(Values($"{matrix}.{name}.values"), Decode(type, blocks));
    }

    [Theory]
    [MemberData(nameof(OlderTypes))]
    public void Blocks_of_older_formats_stand_for_the_values_of_the_reference(string matrix, string name)
    {
        var blocks = s_reference.GetProperty("matrices").GetProperty(matrix).GetProperty(name + "_first_8_rows").GetString()!;
        Assert.Equal(Values($"{matrix}.{name}.values_first_8_rows"), Decode(Find(name), Convert.FromHexString(blocks)));
    }

    [Theory]
    [MemberData(nameof(DecodedTypes))]
    public void Blocks_of_formats_that_are_read_alone_stand_for_the_values_of_the_reference(string name)
    {
        var entry = s_reference.GetProperty("decode_only").GetProperty(name);
        var type = Find(name);
        Assert.Equal(entry.GetProperty("block_values").GetInt32(), type.BlockLength);
        Assert.Equal(entry.GetProperty("block_bytes").GetInt32(), type.BlockBytes);
        Assert.Equal(
            entry.GetProperty("values").EnumerateArray().Select(value => value.GetSingle()),
            Decode(type, Convert.FromHexString(entry.GetProperty("blocks").GetString()!)));
    }

    [Theory]
    [MemberData(nameof(DecodedTypes))]
    public void A_tensor_of_a_format_that_is_read_alone_is_read_from_a_file(string name)
    {
        var entry = s_reference.GetProperty("decode_only").GetProperty(name);
        var (type, blocks) = (Find(name), Convert.FromHexString(entry.GetProperty("blocks").GetString()!));
        var rows = blocks.Length / type.BlockBytes;
        using var folder = new TemporaryFolder();
        var header = RawGguf.File(3, 1, 0, RawGguf.Info("t", [(ulong)type.BlockLength, (ulong)rows], (uint)type.Id, 0));
        File.WriteAllBytes(folder["blocks.gguf"], [.. header, .. new byte[(32 - header.Length % 32) % 32], .. blocks]);
        using var file = GgufFile.Open(folder["blocks.gguf"]);
        using var values = file.Read("t");
        Assert.Equal([rows, type.BlockLength], values.shape);
        Assert.Equal(entry.GetProperty("values").EnumerateArray().Select(value => value.GetSingle()), values.data<float>().ToArray());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Values_that_are_not_finite_are_not_rounded(float value)
    {
        var values = new float[32];
        values[7] = value;
        Assert.False(BlockEncoder.TryEncode(GgufTensorType.Q8_0, values, new byte[34]));
        Assert.False(BlockEncoder.TryEncode(GgufTensorType.Q4_0, values, new byte[18]));
    }

    private static float[] Decode(GgufTensorType type, byte[] blocks)
    {
        var values = new float[blocks.Length / type.BlockBytes * type.BlockLength];
        type.Decode!(blocks, values);
        return values;
    }

    private static GgufTensorType Find(string name) => Enumerable.Range(0, 64).Select(id => GgufTensorType.Find((uint)id))
        .First(type => string.Equals(type?.Name, name, StringComparison.OrdinalIgnoreCase))!;

    private static float[] Values(string name)
    {
        using var file = SafetensorsFile.Open(RepositoryFiles.Data("gguf/quantization.safetensors"));
        using var tensor = file.Read(name);
        return tensor.data<float>().ToArray();
    }
}
