using FsCheck.Xunit;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

public class RowNormalizationTests
{
    private const float Epsilon = 1e-5f;

    [Property(MaxTest = 100)]
    public void Rows_are_normalized_as_the_formulas_say(ushort seed)
    {
        var random = new Random(seed);
        var (rows, width) = (random.Next(1, 5), random.Next(2, 200));
        var x = Numbers(random, rows * width, offset: 0.7f);
        float[] weight = random.Next(2) == 0 ? [] : Numbers(random, width);
        float[] bias = random.Next(2) == 0 ? [] : Numbers(random, width);
        var onePlus = random.Next(2) == 0;
        var (layer, meanSquare) = (new float[x.Length], new float[x.Length]);
        RowNormalization.Layer(x, width, weight, bias, Epsilon, layer);
        RowNormalization.RootMeanSquare(x, width, weight, onePlus, Epsilon, meanSquare);
        for (var row = 0; row < rows; row++)
        {
            var values = x.Skip(row * width).Take(width).Select(value => (double)value).ToArray();
            var mean = values.Average();
            var deviation = Math.Sqrt(values.Average(value => Math.Pow(value - mean, 2)) + Epsilon);
            var root = Math.Sqrt(values.Average(value => value * value) + Epsilon);
            for (var i = 0; i < width; i++)
            {
                var normal = (values[i] - mean) / deviation * (weight.Length == 0 ? 1 : weight[i]) + (bias.Length == 0 ? 0 : bias[i]);
                Assert.Equal(normal, layer[row * width + i], 1e-5);
                var factor = weight.Length == 0 ? 1 : onePlus ? 1.0 + weight[i] : weight[i];
                Assert.Equal(values[i] / root * factor, meanSquare[row * width + i], 1e-5);
            }
        }

        RowNormalization.RootMeanSquare(x, width, weight, onePlus, Epsilon, x); // where they lie
        Assert.Equal(meanSquare, x);
    }

    [Property(MaxTest = 60)]
    public void Slices_of_packed_rows_are_normalized_as_rows_of_their_own_and_nothing_else_is_touched(ushort seed)
    {
        var random = new Random(seed);
        var (rows, heads, width, before, after) =
            (random.Next(1, 4), random.Next(1, 5), random.Next(1, 70), random.Next(0, 9), random.Next(0, 9));
        var stride = width + random.Next(0, 3);
        var rowWidth = before + heads * stride + after;
        var weight = Numbers(random, width);
        var bias = Numbers(random, width);
        var packed = Numbers(random, rows * rowWidth);
        var (layer, meanSquare) = (packed.ToArray(), packed.ToArray());
        RowNormalization.Layer(RowSlices.Within(layer, rows, before, heads, width, stride), weight, bias, Epsilon);
        RowNormalization.RootMeanSquare(
            RowSlices.Within(meanSquare, rows, before, heads, width, stride), weight, onePlusWeight: true, Epsilon);
        var (expectedLayer, expectedMeanSquare) = (packed.ToArray(), packed.ToArray());
        for (var row = 0; row < rows; row++)
        {
            for (var head = 0; head < heads; head++)
            {
                var place = new Range(row * rowWidth + before + head * stride, row * rowWidth + before + head * stride + width);
                RowNormalization.Layer(packed[place], width, weight, bias, Epsilon, expectedLayer.AsSpan(place));
                RowNormalization.RootMeanSquare(packed[place], width, weight, true, Epsilon, expectedMeanSquare.AsSpan(place));
            }
        }

        Assert.Equal(expectedLayer, layer);
        Assert.Equal(expectedMeanSquare, meanSquare);
    }

    [Fact]
    public void Parameters_of_another_width_are_refused()
    {
        Assert.ThrowsAny<ArgumentException>(() => RowNormalization.Layer(new float[6], 3, new float[2], [], Epsilon, new float[6]));
        Assert.ThrowsAny<ArgumentException>(() => RowNormalization.RootMeanSquare(new float[6], 4, [], false, Epsilon, new float[6]));
    }

    private static float[] Numbers(Random random, int count, float offset = 0) =>
        [.. Enumerable.Range(0, count).Select(_ => 4 * random.NextSingle() - 2 + offset)];
}
