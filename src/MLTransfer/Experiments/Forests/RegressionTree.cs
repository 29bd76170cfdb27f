using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Forests;

/// <summary>
/// A tree of splits that makes the squares of what is left as small as each split can (Breiman et al. 1984). Features are numbers, or
/// choices by number, which split into two sets.
/// </summary>
internal sealed class RegressionTree
{
    private readonly List<Node> _nodes = [];

    private RegressionTree()
    {
    }

    /// <summary>The root is the first.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <param name="features">Of each feature the values of all rows.</param>
    /// <param name="choices">The number of choices of each feature, at most 63; 0 for a number.</param>
    /// <param name="targets">Of each row.</param>
    /// <param name="rows">The rows that it grows on, some of them several times.</param>
    /// <param name="settings">How it grows.</param>
    /// <param name="draws">Of features and borders.</param>
    public static RegressionTree Grow(
        double[][] features, int[] choices, double[] targets, int[] rows, TreeSettings settings, ref SplitMix64 draws)
    {
        var tree = new RegressionTree();
        new Growth(tree._nodes, features, choices, targets, settings).Grow(rows, 0, ref draws);
        return tree;
    }

    public double Predict(ReadOnlySpan<double> row)
    {
        var index = 0;
        while (true)
        {
            var node = _nodes[index];
            if (node.Feature < 0)
                return node.Mean;
            index = node.IsLeft(row[node.Feature]) ? node.Left : node.Right;
        }
    }

    /// <param name="Feature">What it splits by; -1 of a leaf.</param>
    /// <param name="Border">The largest number of the left side.</param>
    /// <param name="LeftChoices">A bit for each choice of the left side; 0 where it splits by a number.</param>
    /// <param name="Left">The node of the left side.</param>
    /// <param name="Right">The node of the right side.</param>
    /// <param name="Mean">Of its rows.</param>
    internal readonly record struct Node(int Feature, double Border, ulong LeftChoices, int Left, int Right, double Mean)
    {
        public bool IsLeft(double value) => LeftChoices == 0 ? value <= Border : (LeftChoices >> (int)value & 1) != 0;
    }

    private sealed class Growth(List<Node> nodes, double[][] features, int[] choices, double[] targets, TreeSettings settings)
    {
        private readonly double[] _keys = new double[targets.Length];
        private readonly double[] _ordered = new double[targets.Length];
        private readonly int[] _order = new int[features.Length];

        public int Grow(Span<int> rows, int depth, ref SplitMix64 draws)
        {
            var index = nodes.Count;
            double sum = 0;
            foreach (var row in rows)
                sum += targets[row];
            var mean = sum / rows.Length;
            nodes.Add(new Node(-1, 0, 0, 0, 0, mean));
            if (rows.Length < settings.SplitRows || depth >= settings.Depth || FindSplit(rows, sum, ref draws) is not { } split)
                return index;

            var left = 0;
            for (var i = 0; i < rows.Length; i++)
            {
                if (split.IsLeft(features[split.Feature][rows[i]]))
                {
                    (rows[left], rows[i]) = (rows[i], rows[left]);
                    left++;
                }
            }

            var leftNode = Grow(rows[..left], depth + 1, ref draws);
            nodes[index] = split with { Left = leftNode, Right = Grow(rows[left..], depth + 1, ref draws), Mean = mean };
            return index;
        }

        private Node? FindSplit(ReadOnlySpan<int> rows, double sum, ref SplitMix64 draws)
        {
            for (var i = 0; i < _order.Length; i++)
                _order[i] = i;
            var wanted = Math.Max(1, (int)Math.Ceiling(settings.FeatureShare * _order.Length - 1e-9));
            Node? best = null;
            var bestGain = sum * sum / rows.Length + 1e-12 * Math.Abs(sum);
            for (int i = 0, looked = 0; i < _order.Length && looked < wanted; i++)
            {
                if (wanted < _order.Length)
                {
                    var other = i + (int)(draws.NextDouble() * (_order.Length - i));
                    (_order[i], _order[other]) = (_order[other], _order[i]);
                }

                var feature = _order[i];
                var split = choices[feature] > 0
                    ? SplitByChoice(rows, feature, sum, ref bestGain) : SplitByNumber(rows, feature, sum, ref bestGain, ref draws);
                if (split.IsSplit)
                    best = split.Node ?? best;
                looked += split.IsSplit ? 1 : 0; // one whose rows are all alike does not count
            }

            return best;
        }

        private (bool IsSplit, Node? Node) SplitByNumber(
            ReadOnlySpan<int> rows, int feature, double sum, ref double bestGain, ref SplitMix64 draws)
        {
            var keys = _keys.AsSpan(0, rows.Length);
            var ordered = _ordered.AsSpan(0, rows.Length);
            for (var i = 0; i < rows.Length; i++)
                (keys[i], ordered[i]) = (features[feature][rows[i]], targets[rows[i]]);
            keys.Sort(ordered);
            if (keys[0] == keys[^1])
                return (false, null);
            Node? best = null;
            double left = 0;
            for (var i = 1; i < keys.Length; i++)
            {
                left += ordered[i - 1];
                if (keys[i] == keys[i - 1] || i < settings.LeafRows || keys.Length - i < settings.LeafRows)
                    continue;
                var gain = left * left / i + (sum - left) * (sum - left) / (keys.Length - i);
                if (gain <= bestGain)
                    continue;
                bestGain = gain;
                var share = settings.DrawsBorders ? draws.NextDouble() : 0.5;
                best = new Node(feature, keys[i - 1] + (keys[i] - keys[i - 1]) * share, 0, 0, 0, 0);
            }

            return (true, best);
        }

        /// <summary>The best two sets are such that means of the one are all below those of the other (Fisher 1958).</summary>
        private (bool IsSplit, Node? Node) SplitByChoice(ReadOnlySpan<int> rows, int feature, double sum, ref double bestGain)
        {
            var count = choices[feature];
            Span<double> sums = stackalloc double[count];
            Span<int> counts = stackalloc int[count];
            sums.Clear();
            counts.Clear();
            foreach (var row in rows)
            {
                var choice = (int)features[feature][row];
                sums[choice] += targets[row];
                counts[choice]++;
            }

            Span<int> order = stackalloc int[count];
            Span<double> means = stackalloc double[count];
            var present = 0;
            for (var choice = 0; choice < count; choice++)
            {
                if (counts[choice] > 0)
                    (order[present], means[present++]) = (choice, sums[choice] / counts[choice]);
            }

            if (present < 2)
                return (false, null);
            means[..present].Sort(order[..present]);
            Node? best = null;
            double left = 0;
            var (leftRows, leftChoices) = (0, 0UL);
            for (var i = 0; i < present - 1; i++)
            {
                left += sums[order[i]];
                leftRows += counts[order[i]];
                leftChoices |= 1UL << order[i];
                if (leftRows < settings.LeafRows || rows.Length - leftRows < settings.LeafRows)
                    continue;
                var gain = left * left / leftRows + (sum - left) * (sum - left) / (rows.Length - leftRows);
                if (gain <= bestGain)
                    continue;
                bestGain = gain;
                best = new Node(feature, 0, leftChoices, 0, 0, 0);
            }

            return (true, best);
        }
    }
}
