namespace AudioGeneration.Tunes;

/// <summary>A note that was heard in a sound.</summary>
/// <param name="Start">In seconds.</param>
/// <param name="Length">In seconds, to the next note or the end.</param>
/// <param name="Pitch">In semitones, as MIDI counts them, with its fraction.</param>
/// <param name="Loudness">The root mean square of its beginning.</param>
/// <param name="Timbre">What its timbre is told by (<see cref="TimbreFeatures"/>).</param>
internal sealed record HeardNote(double Start, double Length, double Pitch, double Loudness, IReadOnlyList<double> Timbre)
{
    /// <summary>The nearest semitone.</summary>
    public int Semitone => (int)Math.Round(Pitch);
}
