namespace AudioGeneration.Tunes;

/// <summary>Composes tunes: chords of the scale, a bar each, which a melody goes through or breaks into their notes.</summary>
internal static class TuneComposer
{
    private const int Attempts = 1000;

    /// <summary>The tonics, as MIDI counts them: G, A, C, D, E, F.</summary>
    private static readonly int[] s_tonics = [55, 57, 60, 62, 64, 65];

    /// <summary>Degrees that the bars between the first and the last are built on.</summary>
    private static readonly int[] s_chords = [0, 1, 2, 3, 4, 5];

    /// <summary>How two beats, and one, are divided.</summary>
    private static readonly double[][] s_pairs = [[1, 1], [1.5, 0.5], [0.5, 0.5, 1], [1, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]];
    private static readonly double[][] s_beats = [[1], [1], [0.5, 0.5]];

    /// <summary>Composes a tune, which begins and ends on its tonic and has all that tells its style.</summary>
    /// <exception cref="InvalidOperationException">No tune of the style came out.</exception>
    public static Tune Compose(TuneStyle style, Random random)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var tonic = s_tonics[random.Next(s_tonics.Length)];
            var notes = Melody(style, tonic, random);
            var steps = notes.Select(note => (note.Pitch - tonic + 120) % 12).ToHashSet();
            var offBeats = notes.Count(note => note.Start % 1 != 0);
            if (!steps.IsSupersetOf(style.Scale.Characteristic) || offBeats < 2)
                continue;
            var seconds = Tune.Seconds - 0.1 - 0.4 * random.NextDouble();
            return new Tune(style, seconds / (style.Bars * style.Beats), notes);
        }

        throw new InvalidOperationException($"None of {Attempts} tunes was one of {style}.");
    }

    private static List<Note> Melody(TuneStyle style, int tonic, Random random)
    {
        var (notes, degree) = (new List<Note>(), 0);
        for (var bar = 0; bar < style.Bars; bar++)
        {
            var isLast = bar == style.Bars - 1;
            var chord = bar == 0 || isLast ? 0 : s_chords[random.Next(s_chords.Length)];
            var breaksChord = random.Next(3) == 0;
            var start = (double)bar * style.Beats;
            foreach (var (i, length) in Rhythm(style.Beats, isLast, random).Index())
            {
                var isTonic = (bar == 0 && i == 0) || (isLast && start + length == style.Bars * style.Beats);
                degree = isTonic ? Near(degree, 0, style.Scale.Steps.Count)
                    : breaksChord || i == 0 ? ChordTone(degree, chord, style, random)
                    : degree + (random.Next(2) == 0 ? 1 : -1) * (random.Next(4) == 0 ? 2 : 1);
                var pitch = tonic + style.Scale.SemitonesOf(degree);
                while (pitch > tonic + 12 || pitch < tonic - 5)
                {
                    degree += pitch > tonic ? -style.Scale.Steps.Count : style.Scale.Steps.Count;
                    pitch = tonic + style.Scale.SemitonesOf(degree);
                }

                var loudness = i == 0 ? 1 : start % 1 == 0 ? 0.5 : 0.4;
                notes.Add(new Note(start, length, pitch, loudness));
                start += length;
            }
        }

        return notes;
    }

    /// <summary>The lengths of a bar's notes. The last bar ends with a note of two beats.</summary>
    private static List<double> Rhythm(int beats, bool isLast, Random random)
    {
        var lengths = new List<double>();
        for (var left = beats - (isLast ? 2 : 0); left > 0;)
        {
            var parts = left > 1 && random.Next(2) == 0 ? s_pairs[random.Next(s_pairs.Length)] : s_beats[random.Next(s_beats.Length)];
            lengths.AddRange(parts);
            left -= (int)parts.Sum();
        }

        if (isLast)
            lengths.Add(2);
        return lengths;
    }

    /// <summary>A note of the triad on a degree, near another note and not that one.</summary>
    private static int ChordTone(int near, int chord, TuneStyle style, Random random)
    {
        var count = style.Scale.Steps.Count;
        var tones = new[] { chord, chord + 2, chord + 4 }.Select(tone => Near(near, tone, count)).Where(tone => tone != near).ToArray();
        return tones[random.Next(tones.Length)];
    }

    /// <summary>The degree that is an octave or several from another and nearest to a third.</summary>
    private static int Near(int degree, int tone, int count) =>
        tone + count * (int)Math.Round((double)(degree - tone) / count, MidpointRounding.AwayFromZero);
}
