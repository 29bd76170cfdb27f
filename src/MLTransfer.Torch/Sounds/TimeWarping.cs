namespace MLTransfer.Torch.Sounds;

/// <summary>Dynamic time warping: which frames of two sequences belong together (H. Sakoe and S. Chiba, 1978).</summary>
public static class TimeWarping
{
    /// <summary>The most pairs of frames that are looked at; a pair takes one byte.</summary>
    public const long MostCells = 400_000_000;

    /// <summary>Refuses what is too much.</summary>
    /// <exception cref="ArgumentException">There are more than <see cref="MostCells"/> pairs.</exception>
    internal static void Check(int first, int second)
    {
        if ((long)first * second > MostCells)
        {
            throw new ArgumentException(
                $"{first} and {second} frames have more than {MostCells} pairs. Compare shorter parts, or lengthen the hop.");
        }
    }

    /// <summary>The path from the first pair to the last with the smallest sum of distances.</summary>
    /// <param name="first">How many frames there are, at least 1.</param>
    /// <param name="second">Likewise.</param>
    /// <param name="distance">Of two frames.</param>
    /// <returns>Pairs by steps (1,1), (0,1) and (1,0), preferred in this order where sums are equal; and the sum.</returns>
    internal static (IReadOnlyList<(int First, int Second)> Path, double Sum) Align(int first, int second, Func<int, int, double> distance)
    {
        Check(first, second);
        var steps = new byte[first, second];
        double[] above = new double[second], sums = new double[second];
        for (var i = 0; i < first; i++)
        {
            for (var j = 0; j < second; j++)
            {
                var (diagonal, left, up) = (
                    i > 0 && j > 0 ? above[j - 1] : double.PositiveInfinity,
                    j > 0 ? sums[j - 1] : double.PositiveInfinity,
                    i > 0 ? above[j] : double.PositiveInfinity);
                var (best, step) = diagonal <= left && diagonal <= up ? (diagonal, 0) : left <= up ? (left, 1) : (up, 2);
                steps[i, j] = (byte)step;
                sums[j] = distance(i, j) + (i == 0 && j == 0 ? 0 : best);
            }

            (above, sums) = (sums, above);
        }

        List<(int, int)> path = [];
        for (int i = first - 1, j = second - 1; ; )
        {
            path.Add((i, j));
            if (i == 0 && j == 0)
                break;
            var step = steps[i, j];
            (i, j) = (step == 1 ? i : i - 1, step == 2 ? j : j - 1);
        }

        path.Reverse();
        return (path, above[second - 1]);
    }
}
