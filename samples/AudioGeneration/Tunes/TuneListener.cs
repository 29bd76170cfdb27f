using MLTransfer.Torch.Sounds;

namespace AudioGeneration.Tunes;

/// <summary>Writes down the notes of a sound: where they begin, and how high they are by YIN.</summary>
internal static class TuneListener
{
    private static readonly PitchOptions s_pitch = new()
    {
        LowestFrequency = 120, HighestFrequency = 900, FrameLength = 400, HopLength = 80,
    };

    /// <summary>What is softer than this share of the loudest note is none.</summary>
    private const double Softest = 0.06;

    /// <summary>Seconds at a note's beginning and before its end that are not listened to.</summary>
    private const double Edge = 0.03;

    /// <summary>The notes of a sound of one channel.</summary>
    public static IReadOnlyList<HeardNote> Listen(Waveform sound)
    {
        var samples = sound.Channel(0);
        if (samples.Length < s_pitch.FrameLength || samples.IndexOfAnyExcept(0f) < 0)
            return [];
        var pitches = PitchTracking.Yin(samples, sound.SampleRate, s_pitch);
        var onsets = Onsets.Find(sound);
        var notes = new List<HeardNote>();
        foreach (var (i, start) in onsets.Index())
        {
            var end = i + 1 < onsets.Count ? onsets[i + 1] : sound.Duration.TotalSeconds;
            var beginning = Slice(samples, sound.SampleRate, start, Math.Min(end, start + 0.12));
            var pitch = MedianPitch(pitches, sound.SampleRate, start, end);
            notes.Add(new HeardNote(
                start, end - start, pitch, Loudness(beginning),
                TimbreFeatures.Of(samples, sound.SampleRate, start, end, pitch, pitches, s_pitch.HopLength)));
        }

        var loudest = notes.Count == 0 ? 0 : notes.Max(note => note.Loudness);
        return [.. notes.Where(note => note.Loudness > Softest * loudest)];
    }

    public static ReadOnlySpan<float> Slice(ReadOnlySpan<float> samples, int rate, double start, double end)
    {
        var from = Math.Clamp((int)(start * rate), 0, samples.Length);
        return samples[from..Math.Clamp((int)(end * rate), from, samples.Length)];
    }

    public static double Loudness(ReadOnlySpan<float> samples)
    {
        var sum = 0.0;
        foreach (var sample in samples)
            sum += sample * sample;
        return samples.IsEmpty ? 0 : Math.Sqrt(sum / samples.Length);
    }

    /// <summary>The median over what is at most the first 0.4 seconds: what follows may be silence.</summary>
    private static double MedianPitch(float[] pitches, int rate, double start, double end)
    {
        int At(double seconds) => Math.Clamp((int)(seconds * rate / s_pitch.HopLength), 0, pitches.Length - 1);
        var (from, to) = (At(start + Edge), At(Math.Min(start + 0.4, end - Edge)));
        var median = pitches[Math.Min(from, to)..(to + 1)].Order().ElementAt((to - Math.Min(from, to)) / 2);
        return 69 + 12 * Math.Log2(median / 440);
    }
}
