using System.Numerics;
using MLTransfer.Torch.Training.Adversarial;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

public sealed class FilteredSamplingTests
{
    private static readonly double[] s_taps = FilteredSampling.LowPass;

    [Fact]
    public void The_filter_is_orthonormal_to_itself_moved_by_even_places()
    {
        Assert.Equal(12, s_taps.Length);
        for (var shift = 0; shift < 12; shift += 2)
            Assert.Equal(shift == 0 ? 1 : 0, s_taps.Skip(shift).Zip(s_taps, (a, b) => a * b).Sum(), 1e-11);
    }

    [Fact]
    public void The_filter_has_sum_root_two_and_exactly_six_vanishing_moments()
    {
        Assert.Equal(Math.Sqrt(2), s_taps.Sum(), 1e-12);
        double Moment(int power) => s_taps.Select((tap, i) => (i % 2 == 0 ? tap : -tap) * Math.Pow(i - 5, power)).Sum();
        for (var power = 0; power < 6; power++)
            Assert.Equal(0, Moment(power), 1e-8);
        Assert.True(Math.Abs(Moment(6)) > 1);
    }

    [Fact]
    public void Of_all_filters_with_these_properties_it_is_the_least_asymmetric()
    {
        // They are (1 + z)^6 times a polynomial of degree 5 whose roots, a real one and two conjugate pairs, may each be exchanged for
        // their inverse.
        var roots = Roots(Enumerable.Range(0, 6).Aggregate(s_taps, (taps, _) => DividedByOnePlusZ(taps)));
        var real = roots.Single(root => Math.Abs(root.Imaginary) < 1e-6);
        var upper = roots.Where(root => root.Imaginary > 1e-6).ToArray();
        Assert.Equal(2, upper.Length);
        Complex[][] groups = [[real], [upper[0], Complex.Conjugate(upper[0])], [upper[1], Complex.Conjugate(upper[1])]];
        var asymmetries = Enumerable.Range(0, 8).Select(choice => PhaseDeviation(
            Filter(groups.SelectMany((group, i) => group.Select(root => (choice >> i & 1) == 0 ? root : 1 / root))))).ToList();
        Assert.Equal(PhaseDeviation(s_taps), asymmetries[0], 1e-6);
        Assert.Equal(asymmetries[0], asymmetries[7], 1e-6); // read backwards
        Assert.All(asymmetries[1..7], asymmetry => Assert.True(asymmetry > 2 * asymmetries[0]));
    }

    [Fact]
    public void Without_a_map_the_image_comes_back()
    {
        using var scope = NewDisposeScope();
        var images = Pattern(2, 3, 9);
        AssertClose(images, FilteredSampling.Apply(images, [Matrix3x2.Identity, Matrix3x2.Identity]), 1e-10);
    }

    [Fact]
    public void Whole_pixels_are_moved_as_they_are_and_reflected_at_the_side()
    {
        using var scope = NewDisposeScope();
        var images = Pattern(1, 1, 8);
        var moved = FilteredSampling.Apply(images, [Matrix3x2.CreateTranslation(2, -1)]);
        AssertClose(images[.., .., 1.., ..6], moved[.., .., ..7, 2..], 1e-10);
        AssertClose(images[.., .., 1.., 1], moved[.., .., ..7, 1], 1e-10); // column 1 of the result is column -1, which is 1
    }

    [Fact]
    public void Slopes_go_where_the_map_says()
    {
        // Away from the borders, where reflection bends them.
        using var scope = NewDisposeScope();
        var (size, center) = (48, 23.5);
        var line = arange(size, ScalarType.Float64) - center;
        var image = (0.3 * line + 0.1 * line.unsqueeze(1)).view(1, 1, size, size); // 0.3 x + 0.1 y
        var map = Matrix3x2.CreateRotation(MathF.PI / 6) * Matrix3x2.CreateScale(2, 1.5f) * Matrix3x2.CreateTranslation(0.5f, 0);
        Matrix3x2.Invert(map, out var inverse);
        var (x, y) = (line, line.unsqueeze(1));
        var expected = 0.3 * (x * inverse.M11 + y * inverse.M21 + inverse.M31) + 0.1 * (x * inverse.M12 + y * inverse.M22 + inverse.M32);
        var actual = FilteredSampling.Apply(image, [map]);
        AssertClose(expected[16..32, 16..32], actual[0, 0, 16..32, 16..32], 1e-6);
    }

    [Theory]
    [InlineData(ScalarType.Float64, 1e-5)] // maps are float32
    [InlineData(ScalarType.Float32, 2e-5)]
    public void Each_image_equals_the_slow_computation(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        ImageTransformation[] transformations =
        [
            new() { ScaleExponent = 0.4 },
            new() { ScaleExponent = -0.9 }, // several reflections come into sight
            new() { RotationBefore = 0.7 },
            new() { StretchExponent = -0.3 },
            new() { RotationAfter = -2 },
            new() { TranslationX = 0.21, TranslationY = -0.4 },
            new() { RotationBefore = 1, StretchExponent = 0.5, RotationAfter = -0.4 }, // the order counts
            new() { Mirrors = true, QuarterTurns = 1, ShiftX = 1, ShiftY = -2, ScaleExponent = 0.1, RotationBefore = 0.3,
                TranslationX = -0.1 },
            new() { Mirrors = true, QuarterTurns = 3, ShiftX = -1, StretchExponent = 0.2, TranslationY = 0.3 },
        ];
        var images = Pattern(transformations.Length, 2, 10);
        var actual = FilteredSampling.Apply(images.to(type), [.. transformations.Select(t => t.PlaceMap(10))]);
        Assert.Equal(type, actual.dtype);
        for (var i = 0; i < transformations.Length; i++)
        {
            for (var channel = 0; channel < 2; channel++)
            {
                var pixels = new double[10, 10];
                Buffer.BlockCopy(images[i, channel].contiguous().data<double>().ToArray(), 0, pixels, 0, 800);
                var expected = tensor(new SlowGeometry(pixels, transformations[i]).Transform(), [10, 10]);
                AssertClose(expected, actual[i, channel].to(ScalarType.Float64), tolerance);
            }
        }
    }

    [Fact]
    public void Second_derivatives_equal_finite_differences()
    {
        // f = sum of cos(T x): its gradient by x, in a direction v, differentiated by x once more.
        using var scope = NewDisposeScope();
        IReadOnlyList<Matrix3x2> maps =
            [new ImageTransformation { RotationBefore = 0.7, ScaleExponent = -0.3, TranslationX = 0.1 }.PlaceMap(6)];
        var (start, direction) = (Pattern(1, 2, 6), Pattern(1, 2, 6).cos());
        Tensor Slope(Tensor x, bool graph)
        {
            var gradient = autograd.grad([FilteredSampling.Apply(x, maps).cos().sum()], [x], retain_graph: graph, create_graph: graph)[0];
            return (gradient * direction).sum();
        }

        var images = start.clone().requires_grad_(true);
        var second = autograd.grad([Slope(images, graph: true)], [images])[0].view(-1);
        const double step = 1e-5;
        for (var i = 0; i < start.numel(); i++)
        {
            using var inner = NewDisposeScope();
            double At(double change)
            {
                var moved = start.clone();
                moved.view(-1)[i] += change;
                return Slope(moved.requires_grad_(true), graph: false).item<double>();
            }

            Assert.Equal((At(step) - At(-step)) / (2 * step), second[i].item<double>(), 1e-7);
        }
    }

    private static double[] DividedByOnePlusZ(double[] polynomial)
    {
        var quotient = new double[polynomial.Length - 1]; // from the highest power on
        for (var i = 0; i < quotient.Length; i++)
            quotient[i] = polynomial[i] - (i == 0 ? 0 : quotient[i - 1]);
        return quotient;
    }

    /// <summary>All roots at once (Durand 1960, Kerner 1966).</summary>
    private static Complex[] Roots(double[] polynomial)
    {
        var roots = Enumerable.Range(0, polynomial.Length - 1).Select(i => Complex.Pow(new Complex(0.4, 0.9), i)).ToArray();
        for (var round = 0; round < 200; round++)
        {
            for (var i = 0; i < roots.Length; i++)
            {
                var value = polynomial.Aggregate(Complex.Zero, (sum, coefficient) => sum * roots[i] + coefficient / polynomial[0]);
                roots[i] -= roots.Where((_, j) => j != i).Aggregate(value, (quotient, other) => quotient / (roots[i] - other));
            }
        }

        return roots;
    }

    private static double[] Filter(IEnumerable<Complex> roots)
    {
        Complex[] polynomial = [1];
        foreach (var root in roots.Concat(Enumerable.Repeat(-Complex.One, 6)))
            polynomial = [.. polynomial.Append(0).Zip(polynomial.Prepend(0), (same, before) => same - root * before)];
        return [.. polynomial.Select(c => c.Real / polynomial.Sum(other => other.Real) * Math.Sqrt(2))];
    }

    /// <summary>How far the phase is from a straight line at most, over the frequencies up to a half.</summary>
    private static double PhaseDeviation(double[] taps)
    {
        var phases = new List<(double Frequency, double Phase)>();
        for (var frequency = 0.05; frequency < 3; frequency += 0.05)
        {
            var value = taps.Select((tap, i) => tap * Complex.Exp(new Complex(0, -frequency * i))).Aggregate(Complex.Add);
            var before = phases.Count == 0 ? 0 : phases[^1].Phase;
            phases.Add((frequency, before + Math.IEEERemainder(value.Phase - before, 2 * Math.PI)));
        }

        var slope = phases.Sum(p => p.Frequency * p.Phase) / phases.Sum(p => p.Frequency * p.Frequency);
        return phases.Max(p => Math.Abs(p.Phase - slope * p.Frequency));
    }

    private static Tensor Pattern(params long[] shape) =>
        (arange(shape[0] * shape[1] * shape[2] * shape[2], ScalarType.Float64) * 0.7).sin().view(shape[0], shape[1], shape[2], shape[2]);

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<double>();
        Assert.True(difference < tolerance, $"worst difference {difference}");
    }
}
