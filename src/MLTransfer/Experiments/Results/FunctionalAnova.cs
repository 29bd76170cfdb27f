using MLTransfer.Experiments.Forests;
using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Results;

/// <summary>
/// How much of the variance of trees over a space is that of each dimension alone: a tree is constant on boxes, so that its mean over all
/// other dimensions is a sum (Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance").
/// </summary>
/// <remarks>
/// Values are even in the scale of their domain: a logarithmic range in its logarithm. A dimension with conditions counts as if they held.
/// </remarks>
internal sealed class FunctionalAnova
{
    /// <summary>Places of a range at which its effect is looked at, and draws for the variance of all.</summary>
    private const int Places = 64, Draws = 4096;

    private readonly FlatSpace _space;
    private readonly BoostedTrees _trees;
    private readonly List<(double[] Low, double[] High, ulong[] Choices, double Value)> _boxes = [];

    public FunctionalAnova(FlatSpace space, BoostedTrees trees)
    {
        (_space, _trees) = (space, trees);
        var choices = new ulong[space.Count];
        for (var i = 0; i < choices.Length; i++)
            choices[i] = IsChoice(i) ? (1UL << space[i].Domain.Choices) - 1 : 0;
        foreach (var tree in trees.Trees)
            Collect(tree, 0, new double[space.Count], [.. Enumerable.Repeat(1.0, space.Count)], choices);
    }

    /// <summary>The share of each dimension; all 0 of trees that are the same everywhere.</summary>
    public double[] MainEffects(ref SplitMix64 draws)
    {
        var variance = Variance(ref draws);
        var effects = new double[_space.Count];
        for (var i = 0; i < effects.Length && variance > 1e-300; i++)
            effects[i] = Math.Min(1, Spread(Marginal(i)) / variance);
        return effects;
    }

    private double Variance(ref SplitMix64 draws)
    {
        Span<double> row = stackalloc double[_space.Count];
        var values = new double[Draws];
        for (var k = 0; k < Draws; k++)
        {
            for (var i = 0; i < row.Length; i++)
            {
                var domain = _space[i].Domain;
                row[i] = RandomForest.Feature(domain, domain.IsCategorical
                    ? (int)(draws.NextDouble() * domain.Choices) : domain.FromUnit(draws.NextDouble()));
            }

            values[k] = _trees.Predict(row);
        }

        return Spread(values);
    }

    /// <summary>The mean over all other dimensions, at each choice or at even places of the range.</summary>
    private double[] Marginal(int dimension)
    {
        var values = new double[IsChoice(dimension) ? _space[dimension].Domain.Choices : Places];
        foreach (var box in _boxes)
        {
            var rest = box.Value;
            for (var i = 0; i < _space.Count; i++)
                rest *= i == dimension ? 1 : Share(box, i);
            for (var k = 0; k < values.Length; k++)
            {
                var place = (k + 0.5) / Places;
                if (IsChoice(dimension) ? (box.Choices[dimension] >> k & 1) != 0
                    : box.Low[dimension] < place && place <= box.High[dimension])
                {
                    values[k] += rest;
                }
            }
        }

        return values;
    }

    private static double Spread(double[] values)
    {
        var mean = values.Average();
        double sum = 0;
        foreach (var value in values)
            sum += (value - mean) * (value - mean);
        return sum / values.Length;
    }

    private double Share((double[] Low, double[] High, ulong[] Choices, double Value) box, int dimension) => IsChoice(dimension)
        ? (double)ulong.PopCount(box.Choices[dimension]) / _space[dimension].Domain.Choices
        : box.High[dimension] - box.Low[dimension];

    private bool IsChoice(int dimension) => RandomForest.ChoicesOf(_space[dimension].Domain) > 0;

    private void Collect(RegressionTree tree, int index, double[] low, double[] high, ulong[] choices)
    {
        var node = tree.Nodes[index];
        if (node.Feature < 0)
        {
            _boxes.Add((low, high, choices, node.Mean));
            return;
        }

        if (node.LeftChoices != 0)
        {
            Descend(node.Left, low, high, With(choices[node.Feature] & node.LeftChoices));
            Descend(node.Right, low, high, With(choices[node.Feature] & ~node.LeftChoices));
            return;
        }

        var border = Math.Clamp(node.Border, low[node.Feature], high[node.Feature]);
        Descend(node.Left, low, WithBorder(high), choices);
        Descend(node.Right, WithBorder(low), high, choices);

        ulong[] With(ulong set)
        {
            var copy = (ulong[])choices.Clone();
            copy[node.Feature] = set;
            return copy;
        }

        double[] WithBorder(double[] ends)
        {
            var copy = (double[])ends.Clone();
            copy[node.Feature] = border;
            return copy;
        }

        void Descend(int child, double[] lowEnds, double[] highEnds, ulong[] sets)
        {
            // Where nothing of the space is on a side, such as what means nothing, that side does not count.
            if (node.LeftChoices != 0 ? sets[node.Feature] != 0 : lowEnds[node.Feature] < highEnds[node.Feature])
                Collect(tree, child, lowEnds, highEnds, sets);
        }
    }
}
