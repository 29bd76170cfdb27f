using FsCheck.Xunit;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

public class RowRotationTests
{
    [Property(MaxTest = 100)]
    public void Pairs_are_rotated_and_what_lies_beside_them_stays(ushort seed)
    {
        var random = new Random(seed);
        var (rows, heads, pairs) = (random.Next(1, 4), random.Next(1, 5), random.Next(1, 50));
        var width = 2 * pairs + random.Next(0, 6);
        var (before, after) = (random.Next(0, 9), random.Next(0, 9));
        var rowWidth = before + heads * width + after;
        var neighbours = random.Next(2) == 0;
        var angles = Enumerable.Range(0, rows * pairs).Select(_ => 100 * random.NextDouble()).ToArray();
        var packed = Enumerable.Range(0, rows * rowWidth).Select(_ => 4 * random.NextSingle() - 2).ToArray();
        var expected = packed.ToArray();
        for (var row = 0; row < rows; row++)
        {
            for (var head = 0; head < heads; head++)
            {
                for (var i = 0; i < pairs; i++)
                {
                    var start = row * rowWidth + before + head * width;
                    var (first, second) = neighbours ? (start + 2 * i, start + 2 * i + 1) : (start + i, start + pairs + i);
                    var (sine, cosine) = Math.SinCos(angles[row * pairs + i]);
                    expected[first] = (float)(packed[first] * cosine - packed[second] * sine);
                    expected[second] = (float)(packed[second] * cosine + packed[first] * sine);
                }
            }
        }

        RowRotation.Apply(
            RowSlices.Within(packed, rows, before, heads, width),
            [.. angles.Select(angle => (float)Math.Cos(angle))], [.. angles.Select(angle => (float)Math.Sin(angle))], neighbours);
        RowProductTests.AssertClose(expected, packed, 1e-6f);
    }

    [Fact]
    public void More_pairs_than_a_head_has_are_refused() =>
        Assert.ThrowsAny<ArgumentException>(
            () => RowRotation.Apply(new(new float[8], 1, 2, 4), new float[3], new float[3], neighbours: true));
}
