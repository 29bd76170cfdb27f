using MLTransfer.Torch.Numerics.Rows;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

public class Int4RoundingTests
{
    [Fact]
    public void No_scale_that_hits_the_largest_magnitude_leaves_a_smaller_error()
    {
        var random = new Random(3);
        var (better, codes) = (0, new byte[32]);
        for (var block = 0; block < 200; block++)
        {
            var values = Enumerable.Range(0, 32)
                .Select(_ => (float)(random.NextDouble() + random.NextDouble() - random.NextDouble())).ToArray();
            var extreme = values.MaxBy(MathF.Abs);
            var plain = extreme / -8;
            var plainError = values.Sum(value => Square(value - plain * (Math.Clamp(MathF.Round(value / plain), -8, 7))));

            var scale = Int4Rounding.Round(values, codes, static scale => scale);

            Assert.All(codes, code => Assert.InRange(code, 0, 15));
            var error = values.Zip(codes).Sum(pair => Square(pair.First - scale * (pair.Second - 8)));
            Assert.InRange(error, 0, plainError * 1.0001);
            better += error < 0.9 * plainError ? 1 : 0;
        }

        Assert.True(better > 50, $"{better} blocks are better.");

        static double Square(float value) => (double)value * value;
    }

    [Fact]
    public void What_codes_hold_comes_back_and_zeros_stay_zeros()
    {
        var codes = new byte[32];
        var values = Enumerable.Range(0, 32).Select(i => -0.25f * (i % 16 - 8)).ToArray();
        Assert.Equal(-0.25f, Int4Rounding.Round(values, codes, static scale => scale), 1e-6f);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (byte)(i % 16)), codes);

        Assert.Equal(0, Int4Rounding.Round(new float[32], codes, static scale => scale));
        Assert.All(codes, code => Assert.Equal(8, code));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_finite_has_no_scale(float value)
    {
        var values = new float[32];
        (values[3], values[9]) = (1e30f, value);
        Assert.True(float.IsNaN(Int4Rounding.Round(values, new byte[32], static scale => scale)));
    }
}
