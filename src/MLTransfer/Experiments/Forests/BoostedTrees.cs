using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Forests;

/// <summary>
/// Trees of which each learns what those before it left over, a part of it at a time, from a part of the rows (Friedman 2002, "Stochastic
/// gradient boosting"). Small effects are not lost behind large ones, as they are in trees that each learn everything.
/// </summary>
internal sealed class BoostedTrees
{
    private const int Count = 150;
    private const double Rate = 0.1, RowShare = 0.6;

    // Every other tree splits by whatever feature is drawn: what features do together is found where neither does much alone.
    private static readonly TreeSettings[] s_settings =
        [new() { FeatureShare = 1.0 / 3, DrawsBorders = true }, new() { FeatureShare = 0, DrawsBorders = true }];

    private readonly List<RegressionTree> _trees = [];

    /// <inheritdoc cref="RandomForest(FlatSpace, IReadOnlyList{double[]}, double[], TreeSettings, ref SplitMix64)"/>
    public BoostedTrees(FlatSpace space, IReadOnlyList<double[]> points, double[] targets, ref SplitMix64 draws)
    {
        var (features, choices) = RandomForest.Columns(space, points);
        var mean = targets.Average();
        double[] left = [.. targets.Select(target => target - mean)];
        var row = new double[space.Count];
        var rows = Math.Max(2, (int)(RowShare * left.Length));
        for (var tree = 0; tree < Count; tree++)
        {
            var grown = RegressionTree.Grow(
                features, choices, left, draws.Permutation(left.Length)[..rows], s_settings[tree % s_settings.Length], ref draws);
            _trees.Add(grown);
            for (var i = 0; i < left.Length; i++)
            {
                for (var feature = 0; feature < row.Length; feature++)
                    row[feature] = features[feature][i];
                left[i] -= Rate * grown.Predict(row);
            }
        }
    }

    public IReadOnlyList<RegressionTree> Trees => _trees;

    /// <summary>The forecast without its mean, up to a factor.</summary>
    public double Predict(ReadOnlySpan<double> row)
    {
        double sum = 0;
        foreach (var tree in _trees)
            sum += tree.Predict(row);
        return sum;
    }
}
