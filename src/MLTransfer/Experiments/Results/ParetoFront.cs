namespace MLTransfer.Experiments;

/// <summary>Points of which none is better than another in everything: trade-offs between loss, time and size. Smaller is better.</summary>
public static class ParetoFront
{
    /// <summary>
    /// How many layers are better than each point: those of rank 0 are the front, those of rank 1 would be it without them, and so on.
    /// Equal points have one rank (Deb et al. 2002, "NSGA-II").
    /// </summary>
    /// <param name="points">Objectives of each point; take the negative of what shall be large.</param>
    /// <exception cref="ArgumentException">Points have different numbers of objectives, or one is NaN.</exception>
    public static IReadOnlyList<int> Ranks(IReadOnlyList<double[]> points)
    {
        Check(points, points?.Count > 0 ? points[0].Length : 0);
        var ranks = new int[points!.Count];
        // A point is beaten by such as come before it in this order alone, whose ranks are known then.
        var order = Enumerable.Range(0, points.Count).ToArray();
        Array.Sort(order, (first, second) => points[first].AsSpan().SequenceCompareTo(points[second]));
        for (var i = 0; i < order.Length; i++)
        {
            for (var k = 0; k < i; k++)
            {
                if (IsBeaten(points[order[i]], points[order[k]]))
                    ranks[order[i]] = Math.Max(ranks[order[i]], ranks[order[k]] + 1);
            }
        }

        return ranks;
    }

    /// <summary>The numbers of the points that no other is better than.</summary>
    /// <inheritdoc cref="Ranks"/>
    public static IReadOnlyList<int> Of(IReadOnlyList<double[]> points) =>
        [.. Ranks(points).Index().Where(entry => entry.Item == 0).Select(entry => entry.Index)];

    /// <summary>The volume that points are better in than a reference point: the larger, the better is the front.</summary>
    /// <param name="points">Objectives of each point; take the negative of what shall be large.</param>
    /// <param name="referencePoint">A bad point. Points that are worse in any objective add nothing.</param>
    /// <exception cref="ArgumentException">Points have different numbers of objectives, or one is NaN.</exception>
    public static double Hypervolume(IReadOnlyList<double[]> points, IReadOnlyList<double> referencePoint)
    {
        ArgumentNullException.ThrowIfNull(referencePoint);
        Check(points, referencePoint.Count);
        var reference = referencePoint.ToArray();
        return Volume([.. points.Where(point => point.Zip(reference).All(pair => pair.First <= pair.Second))], reference, reference.Length);
    }

    /// <summary>Slices along the last objective, each as thick as it is far to the next point (While et al. 2006).</summary>
    private static double Volume(List<double[]> points, double[] reference, int objectives)
    {
        if (points.Count == 0)
            return 0;
        if (objectives == 1)
            return reference[0] - points.Min(point => point[0]);
        var last = objectives - 1;
        points.Sort((first, second) => first[last].CompareTo(second[last]));
        double sum = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var end = i + 1 < points.Count ? points[i + 1][last] : reference[last];
            if (end > points[i][last])
                sum += (end - points[i][last]) * Volume(points[..(i + 1)], reference, last);
        }

        return sum;
    }

    private static bool IsBeaten(double[] point, double[] other)
    {
        var isBetterSomewhere = false;
        for (var i = 0; i < point.Length; i++)
        {
            if (other[i] > point[i])
                return false;
            isBetterSomewhere |= other[i] < point[i];
        }

        return isBetterSomewhere;
    }

    private static void Check(IReadOnlyList<double[]>? points, int objectives)
    {
        ArgumentNullException.ThrowIfNull(points);
        foreach (var (index, point) in points.Index())
        {
            if (point.Length != objectives)
                throw new ArgumentException($"Point {index} has {point.Length} objectives; expected {objectives}.", nameof(points));
            if (point.Any(double.IsNaN))
                throw new ArgumentException($"Point {index} has an objective that is NaN.", nameof(points));
        }
    }
}
