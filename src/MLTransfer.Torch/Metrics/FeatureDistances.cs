using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>Distances between two sets of features.</summary>
public static class FeatureDistances
{
    private const int RowsAtOnce = 1024;

    /// <summary>
    /// The Frechet distance between normal distributions with the sets' means and covariances (arXiv 1706.08500):
    /// |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). Over features of Inception-v3 it is known as FID.
    /// </summary>
    /// <param name="first">[N, width], N at least 2.</param>
    /// <param name="second">[M, width], M at least 2.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a feature is not finite.</exception>
    public static double FrechetDistance(Tensor first, Tensor second)
    {
        Check(first, second);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (mean1, covariance1) = Moments(first);
        var (mean2, covariance2) = Moments(second);

        // C1 C2 has the eigenvalues of the symmetric S C2 S, where S S = C1.
        var (values, vectors) = linalg.eigh(covariance1);
        var root = mm(vectors * values.clamp_min(0).sqrt(), vectors.t());
        var product = mm(mm(root, covariance2), root);
        var traceOfRoot = linalg.eigvalsh((product + product.t()) / 2).clamp_min(0).sqrt().sum();
        var distance = (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * traceOfRoot;
        return Math.Max(0, distance.item<double>());
    }

    /// <summary>
    /// The unbiased squared maximum mean discrepancy with the kernel (x.y / width + 1)^3 (arXiv 1801.01401). Over features of Inception-v3
    /// it is known as KID. Around 0, and sometimes below, for sets of one distribution.
    /// </summary>
    /// <param name="first">[N, width], N at least 2.</param>
    /// <param name="second">[M, width], M at least 2.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a feature is not finite.</exception>
    public static double KernelDistance(Tensor first, Tensor second)
    {
        Check(first, second);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (x, y) = (first.to(ScalarType.Float64), second.to(ScalarType.Float64));
        double n = x.shape[0], m = y.shape[0];
        return (KernelSum(x, x) - DiagonalSum(x)) / (n * (n - 1)) + (KernelSum(y, y) - DiagonalSum(y)) / (m * (m - 1))
            - 2 * KernelSum(x, y) / (n * m);
    }

    /// <summary>
    /// The kernel distance of random subsets of the rows: its mean, and how far single subsets lie from it. So KID is usually given.
    /// </summary>
    /// <param name="first">[N, width].</param>
    /// <param name="second">[M, width].</param>
    /// <param name="subsetSize">The rows of a subset, each drawn once; from 2 to the fewer of N and M.</param>
    /// <param name="subsetCount">How many pairs of subsets are drawn.</param>
    /// <param name="seed">Decides on the subsets.</param>
    /// <exception cref="ArgumentException">The shapes or numbers do not fit, or a feature is not finite.</exception>
    public static SubsetDistance KernelDistanceOfSubsets(
        Tensor first, Tensor second, int subsetSize, int subsetCount, long seed = 1)
    {
        Check(first, second);
        var (n, m) = ((int)first.shape[0], (int)second.shape[0]);
        ArgumentOutOfRangeException.ThrowIfLessThan(subsetSize, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(subsetSize, Math.Min(n, m));
        ArgumentOutOfRangeException.ThrowIfLessThan(subsetCount, 1);
        var random = new SplitMix64((ulong)seed);
        var subsets = new List<(int[] First, int[] Second)>(subsetCount);
        for (var i = 0; i < subsetCount; i++)
            subsets.Add((random.Permutation(n)[..subsetSize], random.Permutation(m)[..subsetSize]));
        return KernelDistanceOfSubsets(first, second, subsets);
    }

    /// <summary>The same over the rows that are named.</summary>
    internal static SubsetDistance KernelDistanceOfSubsets(
        Tensor first, Tensor second, IReadOnlyList<(int[] First, int[] Second)> subsets)
    {
        var distances = new double[subsets.Count];
        foreach (var (i, (firstRows, secondRows)) in subsets.Index())
        {
            using var scope = NewDisposeScope();
            distances[i] = KernelDistance(first.index_select(0, tensor(firstRows)), second.index_select(0, tensor(secondRows)));
        }

        var mean = distances.Average();
        return new SubsetDistance(mean, Math.Sqrt(distances.Average(distance => Math.Pow(distance - mean, 2))));
    }

    private static (Tensor Mean, Tensor Covariance) Moments(Tensor features)
    {
        var rows = features.to(ScalarType.Float64);
        var mean = rows.mean([0], keepdim: true); // [1, width]
        var centered = rows - mean;
        return (mean, mm(centered.t(), centered) / (rows.shape[0] - 1));
    }

    private static double KernelSum(Tensor rows, Tensor columns)
    {
        double sum = 0;
        for (long start = 0; start < rows.shape[0]; start += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var some = rows.narrow(0, start, Math.Min(RowsAtOnce, rows.shape[0] - start));
            sum += Kernel(mm(some, columns.t()), rows.shape[1]).sum().item<double>();
        }

        return sum;
    }

    private static double DiagonalSum(Tensor rows) => Kernel(rows.square().sum(1), rows.shape[1]).sum().item<double>();

    private static Tensor Kernel(Tensor products, long width) => (products / width + 1).pow(3);

    internal static void Check(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.dim() != 2 || second.dim() != 2 || first.shape[1] != second.shape[1] || first.shape[0] < 2 || second.shape[0] < 2)
        {
            throw new ArgumentException(
                $"Features have the shapes [{string.Join(", ", first.shape)}] and [{string.Join(", ", second.shape)}]; "
                + "expected [N, width] and [M, width] of the same width, with two rows at least.");
        }

        using var scope = NewDisposeScope();
        if (!first.isfinite().all().item<bool>() || !second.isfinite().all().item<bool>())
            throw new ArgumentException("A feature is NaN or infinite.");
    }
}
