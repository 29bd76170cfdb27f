using MLTransfer.Torch.Metrics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Metrics;

public sealed class FeatureDistancesTests
{
    // Mean 0 and covariance diag(2, 8) / 3.
    private readonly Tensor _cross = tensor(new double[] { 1, 0, -1, 0, 0, 2, 0, -2 }, [4, 2]);

    [Fact]
    public void A_shift_costs_its_squared_length()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(25, FeatureDistances.FrechetDistance(_cross, _cross + tensor(new double[] { 3, 4 })), 10);
    }

    [Fact]
    public void A_scaling_costs_the_squared_difference_of_deviations()
    {
        using var scope = NewDisposeScope();
        var scales = tensor(new double[] { 2, 5 });
        var expected = (Math.Pow(2 - 1, 2) * 2 + Math.Pow(5 - 1, 2) * 8) / 3;
        Assert.Equal(expected, FeatureDistances.FrechetDistance(_cross, _cross * scales), 10);
        Assert.Equal(expected, FeatureDistances.FrechetDistance(_cross * scales, _cross), 10);
    }

    [Fact]
    public void Covariances_that_do_not_commute_follow_the_formula()
    {
        // With the second set turned by 45 degrees, C2 = [[5, -3], [-3, 5]] / 3 and tr (C1 C2)^(1/2) = sqrt(tr(C1 C2) + 2 sqrt(det C1 det
        // C2)).
        using var scope = NewDisposeScope();
        var half = Math.Sqrt(0.5);
        var turned = mm(_cross, tensor(new double[] { half, half, -half, half }, [2, 2]));
        var traceOfRoot = Math.Sqrt(50 / 9.0 + 2 * (16 / 9.0));
        Assert.Equal(10 / 3.0 + 10 / 3.0 - 2 * traceOfRoot, FeatureDistances.FrechetDistance(_cross, turned), 10);
    }

    [Fact]
    public void Sets_with_fewer_rows_than_features_are_measured_too()
    {
        using var scope = NewDisposeScope();
        var few = (arange(30, ScalarType.Float32) * 0.7f).sin().view(3, 10);
        Assert.Equal(0, FeatureDistances.FrechetDistance(few, few), 5);
        Assert.Equal(10, FeatureDistances.FrechetDistance(few, few + 1), 5);
    }

    [Fact]
    public void The_kernel_distance_is_that_of_the_pairs()
    {
        using var scope = NewDisposeScope();
        var (x, y) = ((double[][])[[1, 2], [0, -1], [3, 1]], (double[][])[[2, 2], [-1, 0.5]]);
        double Kernel(double[] a, double[] b) => Math.Pow((a[0] * b[0] + a[1] * b[1]) / 2 + 1, 3);
        double PairMean(double[][] set) =>
            set.Index().SelectMany(a => set.Index().Where(b => b.Index != a.Index), (a, b) => Kernel(a.Item, b.Item)).Average();
        var expected = PairMean(x) + PairMean(y) - 2 * x.SelectMany(_ => y, Kernel).Average();
        var actual =
            FeatureDistances.KernelDistance(tensor(x.SelectMany(v => v).ToArray(), [3, 2]), tensor(y.SelectMany(v => v).ToArray(), [2, 2]));
        Assert.Equal(expected, actual, 10);
    }

    [Fact]
    public void Sets_that_cannot_be_compared_are_refused_with_their_shapes()
    {
        using var scope = NewDisposeScope();
        Assert.Contains(
            "[4, 2] and [4, 3]", Assert.Throws<ArgumentException>(() => FeatureDistances.FrechetDistance(_cross, zeros(4, 3))).Message);
        Assert.Throws<ArgumentException>(() => FeatureDistances.KernelDistance(_cross, zeros(1, 2)));
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => FeatureDistances.FrechetDistance(_cross, _cross / 0)).Message);
    }
}
