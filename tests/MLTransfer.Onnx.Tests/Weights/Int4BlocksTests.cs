using System.Runtime.InteropServices;
using FsCheck.Xunit;
using MLTransfer.Onnx.Weights;
using Xunit;

namespace MLTransfer.Onnx.Tests.Weights;

public class Int4BlocksTests
{
    [Property]
    public void Every_weight_is_kept_within_half_a_step_of_its_block(int seed, byte length, sbyte exponent)
    {
        var random = new Random(seed);
        var row = Enumerable.Range(0, length + 1).Select(_ => (float)((random.NextDouble() - 0.4) * Math.Pow(2, exponent / 4.0))).ToArray();
        var (values, scales) = Unpack(row);
        for (var i = 0; i < row.Length; i++)
            // half a step of rounding, half of the zero point's
            Assert.InRange(Math.Abs(values[i] - row[i]), 0, 1.0001 * scales[i / Int4Blocks.Size]);
    }

    [Fact]
    public void Zeros_stay_zeros()
    {
        var (values, _) = Unpack([0, 0, 0, .. Enumerable.Repeat(0f, 40), 3, -1]);
        Assert.All(values.Take(43), value => Assert.Equal(0, value));
    }

    private static (float[] Values, float[] Scales) Unpack(float[] row)
    {
        var blocks = new Int4Blocks(row.Length);
        blocks.Pack(row);
        var scales = MemoryMarshal.Cast<byte, float>(blocks.Scales).ToArray();
        var (weights, zeroPoints) = (blocks.Weights.ToArray(), blocks.ZeroPoints.ToArray());
        return ([.. row.Select((_, i) => (Nibble(weights, i) - Nibble(zeroPoints, i / Int4Blocks.Size)) * scales[i / Int4Blocks.Size])],
            scales);
    }

    private static int Nibble(byte[] bytes, int index) => bytes[index / 2] >> 4 * (index % 2) & 15;
}
