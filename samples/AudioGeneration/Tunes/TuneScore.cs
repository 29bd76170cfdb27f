namespace AudioGeneration.Tunes;

/// <summary>How tunes are as they were asked for, in shares.</summary>
/// <param name="InScale">Notes that are in the wanted scale, the mean over tunes.</param>
/// <param name="Scale">Tunes in the wanted scale, by all that is heard.</param>
/// <param name="Tempo">Tunes of the wanted tempo.</param>
/// <param name="Timbre">Tunes that sound as wanted.</param>
/// <param name="Beats">Tunes of the wanted metre.</param>
/// <param name="All">Tunes that obey their caption in all, the scale included.</param>
internal sealed record TuneScore(double InScale, double Scale, double Tempo, double Timbre, double Beats, double All)
{
    /// <summary>Compares what was asked for with what is heard.</summary>
    public static TuneScore Of(IReadOnlyList<TuneStyle> asked, IReadOnlyList<TuneReport> heard)
    {
        var pairs = asked.Zip(heard).ToList();
        double Share(Func<TuneStyle, TuneStyle, bool> same) =>
            pairs.Count(pair => pair.Second.Style is { } style && same(pair.First, style)) / (double)pairs.Count;
        return new TuneScore(
            pairs.Average(pair => pair.Second.ShareIn(pair.First.Scale)), Share((a, b) => a.Scale == b.Scale),
            Share((a, b) => a.Tempo == b.Tempo),
            Share((a, b) => a.Timbre == b.Timbre), Share((a, b) => a.Beats == b.Beats), Share((a, b) => a == b));
    }

    public override string ToString() => $"notes in the scale {InScale:P1}, scale {Scale:P0}, tempo {Tempo:P0}, timbre {Timbre:P0}, "
        + $"beats {Beats:P0}, all {All:P0}";
}
