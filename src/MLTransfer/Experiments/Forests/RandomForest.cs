using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Forests;

/// <summary>
/// Trees over points of a space, each grown on other rows (Breiman 2001). Their mean is the forecast, and how far they are apart tells how
/// sure it is.
/// </summary>
internal sealed class RandomForest
{
    /// <summary>The most choices that a split tells apart; those of an option with more count by their number.</summary>
    private const int MaximumChoices = 62;

    private readonly FlatSpace _space;
    private readonly RegressionTree[] _trees;

    /// <param name="space">The space.</param>
    /// <param name="points">Points of it.</param>
    /// <param name="targets">Of each point.</param>
    /// <param name="settings">How trees are grown.</param>
    /// <param name="draws">Of rows, features and borders.</param>
    public RandomForest(
        FlatSpace space, IReadOnlyList<double[]> points, double[] targets, TreeSettings settings, ref SplitMix64 draws)
    {
        _space = space;
        var (features, choices) = Columns(space, points);
        _trees = new RegressionTree[settings.Trees];
        for (var tree = 0; tree < _trees.Length; tree++)
        {
            var rows = new int[points.Count];
            for (var row = 0; row < rows.Length; row++)
                rows[row] = settings.DrawsRows ? (int)(draws.NextDouble() * rows.Length) : row;
            _trees[tree] = RegressionTree.Grow(features, choices, targets, rows, settings, ref draws);
        }
    }

    /// <summary>Of each dimension the values of all points as trees see them, and the number of choices.</summary>
    public static (double[][] Features, int[] Choices) Columns(FlatSpace space, IReadOnlyList<double[]> points)
    {
        var features = new double[space.Count][];
        var choices = new int[space.Count];
        for (var i = 0; i < space.Count; i++)
        {
            choices[i] = ChoicesOf(space[i].Domain);
            features[i] = new double[points.Count];
            for (var row = 0; row < points.Count; row++)
                features[i][row] = Feature(space[i].Domain, points[row][i]);
        }

        return (features, choices);
    }

    /// <summary>The choices that trees tell apart, with one for a value that means nothing; 0 where they see a number.</summary>
    public static int ChoicesOf(Domain domain) => domain.IsCategorical && domain.Choices <= MaximumChoices ? domain.Choices + 1 : 0;

    /// <summary>
    /// A value as trees see it: from 0 to 1, or the number of a choice; what means nothing is -1, or a choice of its own.
    /// </summary>
    public static double Feature(Domain domain, double value) => ChoicesOf(domain) > 0
        ? double.IsNaN(value) ? domain.Choices : value
        : double.IsNaN(value) ? -1 : domain.ToUnit(value);

    /// <summary>The mean of the trees at a point, and the deviation between them.</summary>
    public (double Mean, double Deviation) Predict(ReadOnlySpan<double> point)
    {
        Span<double> row = stackalloc double[_space.Count];
        for (var i = 0; i < row.Length; i++)
            row[i] = Feature(_space[i].Domain, point[i]);
        double sum = 0, squares = 0;
        foreach (var tree in _trees)
        {
            var value = tree.Predict(row);
            sum += value;
            squares += value * value;
        }

        var mean = sum / _trees.Length;
        return (mean, Math.Sqrt(Math.Max(0, squares / _trees.Length - mean * mean)));
    }
}
