using MLTransfer.Torch.Checkpoints.BitsAndBytes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints.BitsAndBytes;

/// <summary>Codes and scales are those of the reference, and stand for its values.</summary>
public class NormalFloat4Tests
{
    [Fact]
    public void Tables_are_those_of_the_reference()
    {
        Assert.Equal(Values("nf4.table"), NormalFloat4.Values.ToArray());
        Assert.Equal(Values("nf4_double.table"), DynamicScales.Values);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void Values_are_rounded_to_the_codes_of_the_reference_and_come_back_as_its_values(string matrix)
    {
        var values = Values(matrix);
        var blocks = values.Length / NormalFloat4.Length;
        var (codes, scales, decoded) = (new byte[values.Length / 2], new float[blocks], new float[values.Length]);
        for (var block = 0; block < blocks; block++)
        {
            var start = block * NormalFloat4.Length;
            scales[block] = NormalFloat4.Encode(values.AsSpan(start, NormalFloat4.Length), codes.AsSpan(start / 2));
            NormalFloat4.Decode(NormalFloat4.Values, codes, start, scales[block], decoded.AsSpan(start, NormalFloat4.Length));
        }

        Assert.Equal(Bytes($"{matrix}.nf4.codes"), codes.SelectMany(pair => (byte[])[(byte)(pair >> 4), (byte)(pair & 0xf)]));
        Assert.Equal(Values($"{matrix}.nf4.scales"), scales);
        Assert.Equal(Values($"{matrix}.nf4.values"), decoded);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void Scales_are_rounded_to_the_nearest_codes(string matrix)
    {
        var scales = Values($"{matrix}.nf4.scales");
        var offset = DynamicScales.OffsetOf(scales);
        Assert.Equal(Values($"{matrix}.nf4_double.offset")[0], offset, 1e-6f * offset);
        var (codes, maxima) = (new byte[scales.Length], new List<float>());
        for (var start = 0; start < scales.Length; start += DynamicScales.Length)
        {
            var count = Math.Min(DynamicScales.Length, scales.Length - start);
            maxima.Add(DynamicScales.Encode(scales.AsSpan(start, count), offset, codes.AsSpan(start, count)));
        }

        Assert.Equal(Bytes($"{matrix}.nf4_double.scale_codes_nearest"), codes);
        Assert.All(
            maxima.Zip(Values($"{matrix}.nf4_double.scale_maxima")),
            pair => Assert.Equal(pair.Second, pair.First, 1e-5f * pair.Second));
    }

    [Theory]
    [InlineData(0, 64)]
    [InlineData(1, 63)]
    [InlineData(3, 20)]
    [InlineData(17, 1)]
    [InlineData(32, 0)]
    public void Any_part_of_a_block_is_read(int start, int count)
    {
        var codes = new byte[32];
        new Random(1).NextBytes(codes);
        var values = new float[count];
        NormalFloat4.Decode(NormalFloat4.Values, codes, start, 3, values);
        for (var i = 0; i < count; i++)
        {
            var pair = codes[(start + i) / 2];
            Assert.Equal(3 * NormalFloat4.Values[(start + i) % 2 == 0 ? pair >> 4 : pair & 0xf], values[i]);
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void A_packed_weight_is_read_as_the_values_of_the_reference(string matrix)
    {
        var path = RepositoryFiles.Data($"gguf/quantization.nf4_{matrix}.safetensors");
        using var packed = BitsAndBytesCheckpoint.Over(SafetensorsFile.Open(path));
        Assert.Equal(["weight"], packed.Tensors.Keys);
        using var expected = Read($"{matrix}.nf4_double.values");
        Assert.Equal(expected.shape, packed.Tensors["weight"].Shape);
        using var values = packed.Read("weight");
        Assert.Equal(expected.data<float>().ToArray(), values.data<float>().ToArray());
    }

    private static float[] Values(string name)
    {
        using var tensor = Read(name);
        return tensor.data<float>().ToArray();
    }

    private static byte[] Bytes(string name)
    {
        using var tensor = Read(name);
        return tensor.data<byte>().ToArray();
    }

    private static Tensor Read(string name)
    {
        using var file = SafetensorsFile.Open(RepositoryFiles.Data("gguf/quantization.safetensors"));
        return file.Read(name);
    }
}
