namespace TextToImage.Scenes;

/// <summary>Tells kinds of shapes apart: the one whose coverage of pixels, in its best place and size, is nearest to a blob's.</summary>
internal static class ShapeClassifier
{
    private static readonly double[] s_moves = [-0.5, 0, 0.5];
    private static readonly double[] s_sizes = [0.92, 1, 1.08];

    /// <summary>Area and middle of each kind, of radius 1.</summary>
    private static readonly (Shape Shape, double Area, double X, double Y)[] s_kinds =
        [.. Shape.All.Select(shape => (shape, Measure(shape).Area, Measure(shape).X, Measure(shape).Y))];

    /// <summary>The nearest kind, and how far it is.</summary>
    public static (Shape Shape, double Misfit) Classify(Blob blob)
    {
        var (area, (x, y)) = (blob.Area, blob.Middle);
        var placed = s_kinds.Select(kind =>
        {
            var radius = Math.Sqrt(area / kind.Area);
            var shape = new PlacedShape(kind.Shape, default, x - kind.X * radius, y - kind.Y * radius, radius);
            return (Shape: shape, Difference: Difference(blob, shape));
        });
        // only what is near already may become the nearest
        return placed.OrderBy(kind => kind.Difference).Take(2).Select(kind => (kind.Shape.Shape, Refine(blob, kind.Shape) / area))
            .MinBy(kind => kind.Item2);
    }

    /// <summary>The least difference in sizes and places near to one.</summary>
    private static double Refine(Blob blob, PlacedShape shape)
    {
        var sized = s_sizes.Select(size => shape with { Radius = shape.Radius * size }).MinBy(other => Difference(blob, other))!;
        var beside = s_moves.Select(move => sized with { X = sized.X + move }).MinBy(other => Difference(blob, other))!;
        return s_moves.Min(move => Difference(blob, beside with { Y = beside.Y + move }));
    }

    private static double Difference(Blob blob, PlacedShape shape)
    {
        var reach = (int)Math.Ceiling(1.2 * shape.Radius) + 1;
        var (left, top) = ((int)shape.X - reach, (int)shape.Y - reach);
        var sum = 0.0;
        var seen = 0;
        for (var y = top; y <= top + 2 * reach + 1; y++)
        {
            for (var x = left; x <= left + 2 * reach + 1; x++)
            {
                seen += blob.Coverage.TryGetValue((x, y), out var covered) ? 1 : 0;
                var difference = covered - ScenePicture.Coverage(shape, x, y);
                sum += difference * difference;
            }
        }

        return sum + (blob.Coverage.Count - seen);
    }

    private static (double Area, double X, double Y) Measure(Shape shape)
    {
        const int steps = 200;
        var (count, right, down) = (0, 0.0, 0.0);
        for (var i = 0; i < steps * steps; i++)
        {
            var (x, y) = (2.4 * ((i % steps + 0.5) / steps - 0.5), 2.4 * ((i / steps + 0.5) / steps - 0.5));
            if (shape.Contains(x, y))
                (count, right, down) = (count + 1, right + x, down + y);
        }

        return (count * 5.76 / (steps * steps), right / count, down / count);
    }
}
