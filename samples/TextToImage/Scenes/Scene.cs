namespace TextToImage.Scenes;

/// <summary>Shapes that are alike.</summary>
/// <param name="Count">1 to 3.</param>
/// <param name="Colour">Of all of them.</param>
/// <param name="Shape">Of all of them.</param>
internal sealed record SceneGroup(int Count, NamedColour Colour, Shape Shape)
{
    public const int MostShapes = 3;

    public static SceneGroup Draw(SceneStyle style, Random random) => new(
        random.Next(1, MostShapes + 1), style.Colours[random.Next(style.Colours.Count)], style.Shapes[random.Next(style.Shapes.Count)]);
}

/// <summary>Where the first group of a scene is, seen from the second.</summary>
internal enum Relation
{
    LeftOf,
    Above,
}

/// <summary>What a caption says of a picture: a group of shapes, or two of them and how they lie.</summary>
/// <param name="First">The group that is on the left or above, or alone.</param>
/// <param name="Relation">How the groups lie; null for one.</param>
/// <param name="Second">The other group; of another colour or shape.</param>
internal sealed record Scene(SceneGroup First, Relation? Relation = null, SceneGroup? Second = null)
{
    /// <summary>A scene; three of four have two groups.</summary>
    public static Scene Draw(SceneStyle style, Random random)
    {
        var first = SceneGroup.Draw(style, random);
        if (random.Next(4) == 0)
            return new Scene(first);
        SceneGroup second;
        do
            second = SceneGroup.Draw(style, random);
        while (second.Colour == first.Colour && second.Shape == first.Shape);
        return new Scene(first, (Relation)random.Next(2), second);
    }

    public IEnumerable<SceneGroup> Groups => Second is null ? [First] : [First, Second];

    public override string ToString() => SceneCaptions.Full(this);
}
