namespace TextToImage.Scenes;

/// <summary>Connected pixels that differ from the ground.</summary>
/// <param name="Coverage">The share of each pixel that is of the blob.</param>
/// <param name="Colour">Of its inside.</param>
internal sealed record Blob(IReadOnlyDictionary<(int X, int Y), double> Coverage, Rgb Colour)
{
    public double Area => Coverage.Values.Sum();

    public (double X, double Y) Middle
    {
        get
        {
            var area = Area;
            return (Coverage.Sum(pixel => (pixel.Key.X + 0.5) * pixel.Value) / area,
                Coverage.Sum(pixel => (pixel.Key.Y + 0.5) * pixel.Value) / area);
        }
    }
}

/// <summary>Finds blobs in pictures.</summary>
internal static class Blobs
{
    private const int Side = ScenePicture.Side;

    /// <summary>Pixels of the smallest blob: what is smaller is noise.</summary>
    private const double LeastArea = 9;

    /// <summary>The least distance of a blob's inside from the ground.</summary>
    private const double LeastContrast = 50;

    /// <summary>From which share of its inside's distance on a pixel counts as the blob's.</summary>
    private const double LeastShare = 0.4;

    /// <summary>The blobs of a picture, whose ground is the median colour of its edge.</summary>
    public static IReadOnlyList<Blob> Find(ScenePicture picture)
    {
        var ground = Ground(picture);
        var distances = new double[Side, Side];
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
                distances[x, y] = picture[x, y].DistanceTo(ground);
        }

        var (taken, blobs) = (new bool[Side, Side], new List<Blob>());
        // from the pixel that differs most on: its blob is what is connected and differs by a share of that
        foreach (var (x, y) in Everywhere().OrderByDescending(place => distances[place.X, place.Y]))
        {
            if (distances[x, y] < LeastContrast)
                break;
            if (taken[x, y])
                continue;
            var pixels = Connected(distances, taken, x, y, LeastShare * distances[x, y]);
            var inside = distances[x, y];
            // edges: what touches the blob and is between it and the ground
            var coverage = new Dictionary<(int X, int Y), double>();
            foreach (var (px, py) in pixels.SelectMany(Around).Distinct())
                coverage[(px, py)] = Math.Min(1, distances[px, py] / (0.92 * inside));
            var core = pixels.OrderByDescending(place => pixels.Count(other =>
                Math.Abs(other.X - place.X) <= 1 && Math.Abs(other.Y - place.Y) <= 1) + distances[place.X, place.Y] / 1000)
                .Take(Math.Max(3, pixels.Count / 3)).Select(place => picture[place.X, place.Y]).ToList();
            var colour = new Rgb(Median(core.Select(c => c.Red)), Median(core.Select(c => c.Green)), Median(core.Select(c => c.Blue)));
            foreach (var (px, py) in coverage.Keys)
                taken[px, py] = true;
            var blob = new Blob(coverage, colour);
            if (blob.Area >= LeastArea)
                blobs.Add(blob);
        }

        return blobs;
    }

    private static Rgb Ground(ScenePicture picture)
    {
        var edge = Everywhere().Where(place => place.X is 0 or Side - 1 || place.Y is 0 or Side - 1)
            .Select(place => picture[place.X, place.Y]).ToList();
        return new(Median(edge.Select(c => c.Red)), Median(edge.Select(c => c.Green)), Median(edge.Select(c => c.Blue)));
    }

    private static List<(int X, int Y)> Connected(double[,] distances, bool[,] taken, int startX, int startY, double least)
    {
        var (found, open) = (new HashSet<(int X, int Y)> { (startX, startY) }, new Stack<(int X, int Y)>([(startX, startY)]));
        while (open.TryPop(out var place))
        {
            foreach (var (x, y) in ((int X, int Y)[])[
                (place.X - 1, place.Y), (place.X + 1, place.Y), (place.X, place.Y - 1), (place.X, place.Y + 1)])
            {
                if (IsInside(x, y) && !taken[x, y] && distances[x, y] >= least && found.Add((x, y)))
                    open.Push((x, y));
            }
        }

        return [.. found];
    }

    private static IEnumerable<(int X, int Y)> Around((int X, int Y) place) =>
        from y in Enumerable.Range(place.Y - 1, 3)
        from x in Enumerable.Range(place.X - 1, 3)
        where IsInside(x, y)
        select (x, y);

    private static IEnumerable<(int X, int Y)> Everywhere() =>
        Enumerable.Range(0, Side * Side).Select(place => (place % Side, place / Side));

    private static bool IsInside(int x, int y) => x is >= 0 and < Side && y is >= 0 and < Side;

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
