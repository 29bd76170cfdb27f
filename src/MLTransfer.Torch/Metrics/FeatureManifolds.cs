using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>
/// Precision and recall (arXiv 1904.06991), density and coverage (arXiv 2002.09797): a set of features stands for the union of balls around
/// its rows, each of which reaches to the row's k-th nearest neighbour in its own set, by Euclidean distance.
/// </summary>
public static class FeatureManifolds
{
    private const long DistancesAtOnce = 1 << 22;

    /// <summary>Compares the two sets.</summary>
    /// <param name="real">[N, width]. A row is not its own neighbour; one that is there twice is.</param>
    /// <param name="generated">[M, width].</param>
    /// <param name="neighbors">k, from 1 to less than the fewer of N and M. The papers take 3 and 5.</param>
    /// <param name="cancellationToken">Checked between some rows and the next.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, there are too few rows, or a feature is not finite.</exception>
    public static ManifoldOverlap Compare(
        Tensor real, Tensor generated, int neighbors = 5, CancellationToken cancellationToken = default)
    {
        FeatureDistances.Check(real, generated);
        var (realCount, generatedCount) = (real.shape[0], generated.shape[0]);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbors, 1);
        if (neighbors >= Math.Min(realCount, generatedCount))
        {
            throw new ArgumentException(
                $"There are {realCount} real and {generatedCount} generated rows; {neighbors} neighbours of each need "
                + $"{neighbors + 1} at least.", nameof(neighbors));
        }

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (reals, made) = (real.to(ScalarType.Float64), generated.to(ScalarType.Float64));
        var realRadii = Radii(reals, neighbors, cancellationToken);    // [N]
        var madeRadii = Radii(made, neighbors, cancellationToken);     // [M]
        var covered = zeros(realCount, ScalarType.Bool);               // real balls with a generated row in it
        var recalled = zeros(realCount, ScalarType.Bool);              // real rows in a generated ball
        long inside = 0, precise = 0;
        ForEachPart(made, reals, (start, distances) => // [some of M, N]
        {
            var inReal = distances <= realRadii.unsqueeze(0);
            inside += inReal.sum().item<long>();
            precise += inReal.any(1).sum().item<long>();
            covered.logical_or_(inReal.any(0));
            recalled.logical_or_((distances <= madeRadii.narrow(0, start, distances.shape[0]).unsqueeze(1)).any(0));
        }, cancellationToken);
        return new ManifoldOverlap(
            neighbors,
            (double)precise / generatedCount,
            (double)recalled.sum().item<long>() / realCount,
            (double)inside / ((double)neighbors * generatedCount),
            (double)covered.sum().item<long>() / realCount);
    }

    /// <summary>The distance of each row to its k-th nearest other one: [rows].</summary>
    private static Tensor Radii(Tensor rows, int neighbors, CancellationToken cancellationToken)
    {
        var radii = empty(rows.shape[0], ScalarType.Float64);
        ForEachPart(rows, rows, (start, distances) =>
        {
            distances.diagonal(start).fill_(double.PositiveInfinity);
            var (nearest, _) = distances.topk(neighbors, 1, largest: false); // [some, k]
            radii.narrow(0, start, distances.shape[0]).copy_(nearest.narrow(1, neighbors - 1, 1).squeeze(1));
        }, cancellationToken);
        return radii;
    }

    /// <summary>Gives the distances of some rows to all others: [some, others].</summary>
    private static void ForEachPart(Tensor rows, Tensor others, Action<long, Tensor> use, CancellationToken cancellationToken)
    {
        var atOnce = Math.Max(1, DistancesAtOnce / others.shape[0]);
        for (var start = 0L; start < rows.shape[0]; start += atOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var some = rows.narrow(0, start, Math.Min(atOnce, rows.shape[0] - start));
            // Differences, not products: a row and its copy are at 0, and both sides of a border give the same bits.
            use(start, cdist(some, others, 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist));
        }
    }
}
