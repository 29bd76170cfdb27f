namespace AudioGeneration.Tunes;

/// <summary>A note of a tune.</summary>
/// <param name="Start">In beats.</param>
/// <param name="Length">In beats.</param>
/// <param name="Pitch">In semitones, as MIDI counts them: 60 is 262 Hz.</param>
/// <param name="Loudness">At most 1: a bar's first note is the loudest.</param>
internal sealed record Note(double Start, double Length, int Pitch, double Loudness);

/// <summary>A tune: one note after another.</summary>
/// <param name="Style">What a caption says of it.</param>
/// <param name="BeatSeconds">Seconds of a beat.</param>
/// <param name="Notes">In their order.</param>
internal sealed record Tune(TuneStyle Style, double BeatSeconds, IReadOnlyList<Note> Notes)
{
    /// <summary>Seconds of every tune, with the silence behind its last note.</summary>
    public const double Seconds = 6.6;
}
