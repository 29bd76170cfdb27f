using MLTransfer.Torch.Sounds;

namespace AudioGeneration.Tunes;

/// <summary>What was heard in a sound.</summary>
/// <param name="Notes">Its notes.</param>
/// <param name="BeatsPerMinute">The tempo; 0 where there are no three notes.</param>
/// <param name="Style">What a caption would say; null where too little was heard.</param>
internal sealed record TuneReport(IReadOnlyList<HeardNote> Notes, double BeatsPerMinute, TuneStyle? Style)
{
    /// <summary>The share of notes that are in a scale on its best tonic.</summary>
    public double ShareIn(Scale scale) => scale.ShareOf([.. Notes.Select(note => note.Semitone)]);
}

/// <summary>Hears whether a sound is what its caption says.</summary>
internal sealed class TuneChecker(int seed = 12345)
{
    private const int FewestNotes = 4;

    /// <summary>How likely a note is that is not of the scale: a slip of the one who plays, or of the one who listens.</summary>
    private const double Slip = 0.04;

    private readonly TimbreClassifier _timbres = new(seed);

    /// <summary>Listens to a sound of one channel.</summary>
    public TuneReport Check(Waveform sound)
    {
        var notes = TuneListener.Listen(sound);
        if (notes.Count < FewestNotes)
            return new TuneReport(notes, 0, null);
        var beat = Rhythm.BeatSeconds(notes);
        var tempo = (60 / beat) switch
        {
            < 98 => Tempo.Slow,
            < 127 => Tempo.Moderate,
            _ => Tempo.Fast,
        };
        var style = new TuneStyle(ScaleOf(notes), _timbres.Classify(notes)!.Value, tempo, Rhythm.Metre(notes, beat));
        return new TuneReport(notes, 60 / beat, style);
    }

    /// <summary>The likeliest scale: its tonic is likely the first and the last note.</summary>
    private static Scale ScaleOf(IReadOnlyList<HeardNote> notes)
    {
        const double tonicBonus = 3;
        return Scale.All.MaxBy(scale => Enumerable.Range(0, 12).Max(tonic =>
        {
            int Step(HeardNote note) => (note.Semitone - tonic + 1200) % 12;
            var count = scale.Steps.Count;
            return notes.Sum(note => scale.Steps.Contains(Step(note)) ? Math.Log((1 - Slip) / count) : Math.Log(Slip / (12 - count)))
                + (Step(notes[0]) == 0 ? tonicBonus : 0) + (Step(notes[^1]) == 0 ? tonicBonus : 0);
        }))!;
    }
}
