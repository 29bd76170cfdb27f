namespace TextToImage.Scenes;

/// <summary>What was seen in a picture.</summary>
/// <param name="Shapes">All that were found.</param>
/// <param name="Scene">What a caption would say; null where there is no such scene.</param>
internal sealed record SceneReport(IReadOnlyList<FoundShape> Shapes, Scene? Scene);

/// <summary>Sees whether a picture is what its caption says.</summary>
internal static class SceneChecker
{
    /// <summary>How far a shape may be from its kind.</summary>
    private const double MostMisfit = 0.25;

    /// <summary>How far a colour may be from its word's.</summary>
    private const double FarthestColour = 80;

    /// <summary>Looks at a picture.</summary>
    public static SceneReport Check(ScenePicture picture)
    {
        var shapes = new List<FoundShape>();
        var isClear = true;
        foreach (var blob in Blobs.Find(picture))
        {
            var (shape, misfit) = ShapeClassifier.Classify(blob);
            var colour = SceneStyle.AllColours.MinBy(colour => colour.Colour.DistanceTo(blob.Colour))!;
            isClear &= misfit <= MostMisfit && colour.Colour.DistanceTo(blob.Colour) <= FarthestColour;
            shapes.Add(new FoundShape(colour, shape, blob.Middle.X, blob.Middle.Y, misfit));
        }

        return new SceneReport(shapes, isClear ? SceneOf(shapes) : null);
    }

    private static Scene? SceneOf(List<FoundShape> shapes)
    {
        var groups = shapes.GroupBy(shape => (shape.Colour, shape.Shape)).Select(group => (
            Group: new SceneGroup(group.Count(), group.Key.Colour, group.Key.Shape), X: group.Average(shape => shape.X),
            Y: group.Average(shape => shape.Y))).ToList();
        if (groups.Count is 0 or > 2 || groups.Any(group => group.Group.Count > SceneGroup.MostShapes))
            return null;
        if (groups.Count == 1)
            return new Scene(groups[0].Group);
        var isBeside = Math.Abs(groups[0].X - groups[1].X) > Math.Abs(groups[0].Y - groups[1].Y);
        var ordered = groups.OrderBy(group => isBeside ? group.X : group.Y).ToList();
        return new Scene(ordered[0].Group, isBeside ? Relation.LeftOf : Relation.Above, ordered[1].Group);
    }
}
