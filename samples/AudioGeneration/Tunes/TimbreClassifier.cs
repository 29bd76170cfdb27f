namespace AudioGeneration.Tunes;

/// <summary>
/// Tells timbres apart by the medians of a tune's <see cref="TimbreFeatures"/>: a normal distribution of each feature for each timbre,
/// fitted to tunes that are rendered for it.
/// </summary>
internal sealed class TimbreClassifier
{
    private const int TunesEach = 24;
    private const double LeastDeviation = 3;

    private readonly Dictionary<Timbre, (double Mean, double Deviation)[]> _timbres = [];

    /// <summary>Fits the distributions.</summary>
    /// <param name="seed">Decides on the tunes.</param>
    public TimbreClassifier(int seed)
    {
        var random = new Random(seed);
        foreach (var timbre in Enum.GetValues<Timbre>())
        {
            var rows = Enumerable.Range(0, TunesEach).Select(_ =>
            {
                var tune = TuneComposer.Compose(TuneStyle.Draw(random, Scale.All) with { Timbre = timbre }, random);
                return Medians(TuneListener.Listen(TuneRenderer.Render(tune, random)));
            }).ToList();
            _timbres[timbre] =
            [
                .. Enumerable.Range(0, rows[0].Length).Select(i =>
                {
                    var mean = rows.Average(row => row[i]);
                    return (mean, Math.Max(LeastDeviation, Math.Sqrt(rows.Average(row => (row[i] - mean) * (row[i] - mean)))));
                }),
            ];
        }
    }

    /// <summary>The likeliest timbre of notes; null where there are none.</summary>
    public Timbre? Classify(IReadOnlyList<HeardNote> notes)
    {
        if (notes.Count == 0)
            return null;
        var features = Medians(notes);
        return _timbres.MaxBy(timbre => timbre.Value.Zip(features, (normal, value) =>
        {
            // beyond four deviations all is as unlikely: a codec's noise in one feature does not decide
            var distance = Math.Min(4, Math.Abs(value - normal.Mean) / normal.Deviation);
            return -distance * distance / 2 - Math.Log(normal.Deviation);
        }).Sum()).Key;
    }

    private static double[] Medians(IReadOnlyList<HeardNote> notes) =>
    [
        .. Enumerable.Range(0, notes[0].Timbre.Count)
            .Select(i => notes.Select(note => note.Timbre[i]).Order().ElementAt(notes.Count / 2)),
    ];
}
