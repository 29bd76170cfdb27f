namespace AudioGeneration.Tunes;

/// <summary>The notes that a tune is made of, as semitones above its tonic.</summary>
/// <param name="Name">As captions have it.</param>
/// <param name="Steps">From 0, ascending, below 12.</param>
/// <param name="Characteristic">The steps by which one hears that it is this scale: every tune has them.</param>
internal sealed record Scale(string Name, IReadOnlyList<int> Steps, IReadOnlyList<int> Characteristic)
{
    public static readonly Scale Major = new("major", [0, 2, 4, 5, 7, 9, 11], [4, 5, 11]);
    public static readonly Scale Minor = new("minor", [0, 2, 3, 5, 7, 8, 10], [3, 8, 10]);
    public static readonly Scale Pentatonic = new("pentatonic", [0, 2, 4, 7, 9], [2, 4, 9]);
    public static readonly Scale Dorian = new("dorian", [0, 2, 3, 5, 7, 9, 10], [3, 9, 10]);
    public static readonly Scale HarmonicMinor = new("harmonic minor", [0, 2, 3, 5, 7, 8, 11], [3, 8, 11]);
    public static readonly Scale WholeTone = new("whole tone", [0, 2, 4, 6, 8, 10], [6, 8]);

    /// <summary>What the embedded model is trained on: all but the whole-tone scale, which is left for it to learn.</summary>
    public static readonly IReadOnlyList<Scale> Known = [Major, Minor, Pentatonic, Dorian, HarmonicMinor];

    public static readonly IReadOnlyList<Scale> All = [.. Known, WholeTone];

    /// <summary>The semitones above the tonic of a degree; degrees go on in the octaves above and below.</summary>
    /// <param name="degree">0 for the tonic.</param>
    public int SemitonesOf(int degree)
    {
        var octave = (int)Math.Floor((double)degree / Steps.Count);
        return 12 * octave + Steps[degree - octave * Steps.Count];
    }

    /// <summary>The largest share of notes that are in the scale on any tonic.</summary>
    /// <param name="pitches">Semitones, as MIDI counts them.</param>
    public double ShareOf(IReadOnlyList<int> pitches) => pitches.Count == 0 ? 0
        : Enumerable.Range(0, 12).Max(tonic => pitches.Count(pitch => Steps.Contains((pitch - tonic + 1200) % 12))) / (double)pitches.Count;

    public override string ToString() => Name;
}
