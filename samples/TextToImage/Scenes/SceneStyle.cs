namespace TextToImage.Scenes;

/// <summary>A colour that captions have a word for.</summary>
/// <param name="Name">The word.</param>
/// <param name="Colour">What it looks like.</param>
internal sealed record NamedColour(string Name, Rgb Colour)
{
    public override string ToString() => Name;
}

/// <summary>What scenes are made of.</summary>
/// <param name="Ground">The colour behind shapes.</param>
/// <param name="Colours">Of shapes.</param>
/// <param name="Shapes">The kinds.</param>
internal sealed record SceneStyle(Rgb Ground, IReadOnlyList<NamedColour> Colours, IReadOnlyList<Shape> Shapes)
{
    /// <summary>What the embedded model is trained on.</summary>
    public static readonly SceneStyle Day = new(
        new(244, 242, 234),
        [new("red", new(214, 40, 40)), new("green", new(44, 150, 62)), new("blue", new(40, 84, 214)), new("yellow", new(244, 200, 30)),
            new("purple", new(136, 52, 164))],
        [Shape.Circle, Shape.Square, Shape.Triangle, Shape.Diamond]);

    /// <summary>Other shapes in other colours on another ground, with other words: left for it to learn.</summary>
    public static readonly SceneStyle Night = new(
        new(20, 24, 48),
        [new("orange", new(244, 128, 24)), new("pink", new(244, 140, 190)), new("turquoise", new(52, 206, 200)),
            new("lime", new(160, 226, 62))],
        [Shape.Cross, Shape.Ring, Shape.Square]);

    /// <summary>All colours that there is a word for.</summary>
    public static readonly IReadOnlyList<NamedColour> AllColours = [.. Day.Colours, .. Night.Colours];
}
