namespace AudioGeneration.Tunes;

/// <summary>How fast a tune is.</summary>
internal enum Tempo
{
    Slow,
    Moderate,
    Fast,
}

/// <summary>What a caption says of a tune.</summary>
/// <param name="Scale">The notes.</param>
/// <param name="Timbre">What plays them.</param>
/// <param name="Tempo">How fast.</param>
/// <param name="Beats">Of a bar: 3 or 4.</param>
internal sealed record TuneStyle(Scale Scale, Timbre Timbre, Tempo Tempo, int Beats)
{
    /// <summary>A style with one of some scales.</summary>
    public static TuneStyle Draw(Random random, IReadOnlyList<Scale> scales) => new(
        scales[random.Next(scales.Count)], (Timbre)random.Next(Enum.GetValues<Timbre>().Length),
        (Tempo)random.Next(Enum.GetValues<Tempo>().Length), random.Next(3, 5));

    /// <summary>How many bars a tune has, so that all last about as long.</summary>
    public int Bars => (Tempo, Beats) switch
    {
        (Tempo.Slow, 3) => 3,
        (Tempo.Slow, _) => 2,
        (Tempo.Moderate, 3) => 4,
        (Tempo.Moderate, _) => 3,
        (_, 3) => 5,
        _ => 4,
    };
}
