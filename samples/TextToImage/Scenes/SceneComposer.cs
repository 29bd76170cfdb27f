namespace TextToImage.Scenes;

/// <summary>Places the shapes of scenes.</summary>
internal static class SceneComposer
{
    private const double Side = ScenePicture.Side;

    /// <summary>By how much a channel of a colour differs from picture to picture.</summary>
    private const double ColourReach = 6;

    /// <summary>Pixels between a shape and the edge of its place.</summary>
    private const double Gap = 1;

    /// <summary>A picture of a scene.</summary>
    public static ScenePicture Draw(Scene scene, SceneStyle style, Random random)
    {
        List<PlacedShape> shapes;
        do
            shapes = Place(scene, random);
        while (!LiesAsSaid(scene, shapes));
        return ScenePicture.Render(style.Ground.Near(random, ColourReach), shapes);
    }

    /// <summary>A picture as scenes are, of any colours and shapes that there need be no word for: what a codec of them is trained
    /// on.</summary>
    public static ScenePicture DrawAny(Random random)
    {
        var ground = Rgb.Draw(random);
        var shapes = new List<Shape>();
        var colours = new List<NamedColour>();
        for (var i = 0; i < 2; i++)
        {
            Rgb colour;
            do
                colour = Rgb.Draw(random);
            while (colour.DistanceTo(ground) < 60);
            colours.Add(new("any", colour));
            shapes.Add(random.Next(2) == 0 ? Shape.Draw(random) : SceneStyle.Day.Shapes[random.Next(SceneStyle.Day.Shapes.Count)]);
        }

        return Draw(Scene.Draw(new SceneStyle(ground, colours, shapes), random), new SceneStyle(ground, colours, shapes), random);
    }

    private static List<PlacedShape> Place(Scene scene, Random random)
    {
        var (first, second) = (scene.First, scene.Second);
        if (second is null)
            return first.Count == 1 ? Fill(first, [(0, 0, Side, Side)], random) : Fill(first, Quarters(first.Count, random), random);
        var isBeside = scene.Relation == Relation.LeftOf;
        return [.. Fill(first, Parts(first.Count, 0, isBeside), random), .. Fill(second, Parts(second.Count, Side / 2, isBeside), random)];
    }

    /// <summary>Parts of a half of the picture, one under or beside the other.</summary>
    private static (double X, double Y, double Width, double Height)[] Parts(int count, double start, bool isBeside) =>
    [
        .. Enumerable.Range(0, count).Select(i => isBeside
            ? (start, i * Side / count, Side / 2, Side / count) : (i * Side / count, start, Side / count, Side / 2)),
    ];

    private static (double X, double Y, double Width, double Height)[] Quarters(int count, Random random)
    {
        int[] quarters = [0, 1, 2, 3];
        random.Shuffle(quarters);
        return [.. quarters.Take(count).Select(i => (i % 2 * Side / 2, i / 2 * Side / 2, Side / 2, Side / 2))];
    }

    /// <summary>A shape of about one size in each part.</summary>
    private static List<PlacedShape> Fill(
        SceneGroup group, IReadOnlyList<(double X, double Y, double Width, double Height)> parts, Random random)
    {
        var most = parts.Min(part => Math.Min(part.Width, part.Height)) / 2 - Gap;
        var size = Math.Min(9, most) * (0.86 + 0.09 * random.NextDouble());
        var colour = group.Colour.Colour.Near(random, ColourReach);
        return
        [
            .. parts.Select(part =>
            {
                var radius = size * (1 + 0.05 * random.NextDouble());
                double Middle(double start, double extent)
                {
                    var room = extent / 2 - Gap - radius;
                    return start + extent / 2 + room * (2 * random.NextDouble() - 1);
                }

                return new PlacedShape(group.Shape, colour, Middle(part.X, part.Width), Middle(part.Y, part.Height), radius);
            }),
        ];
    }

    /// <summary>Whether the middles of groups are farther apart in the direction of their relation than in the other one.</summary>
    private static bool LiesAsSaid(Scene scene, List<PlacedShape> shapes)
    {
        if (scene.Relation is null)
            return true;
        var (first, second) = (shapes.Take(scene.First.Count).ToList(), shapes.Skip(scene.First.Count).ToList());
        var right = Math.Abs(second.Average(shape => shape.X) - first.Average(shape => shape.X));
        var down = Math.Abs(second.Average(shape => shape.Y) - first.Average(shape => shape.Y));
        return scene.Relation == Relation.LeftOf ? right > down + 2 : down > right + 2;
    }
}
