using MLTransfer.Torch.Sounds;

namespace AudioGeneration.Voices;

/// <summary>How far voices that say the same are from each other.</summary>
/// <param name="Distortion">The mel-cepstral distortion after alignment, in decibels, the mean over sentences.</param>
/// <param name="Semitones">The distance of the median pitches.</param>
internal sealed record VoiceDistance(double Distortion, double Semitones)
{
    private const int FftSize = 1024;
    private const int Hop = 256;
    private const int Bands = 80;
    private const float Noise = 0.004f;

    private static readonly PitchOptions s_pitch = new()
    {
        LowestFrequency = 60, HighestFrequency = 400, FrameLength = 1024, HopLength = Hop,
    };

    /// <summary>Compares sounds of one rate and one channel, pair by pair.</summary>
    public static VoiceDistance Between(IReadOnlyList<Waveform> first, IReadOnlyList<Waveform> second)
    {
        var cepstrum = new MelCepstrum(new MelFilters(first[0].SampleRate, FftSize, Bands), Hop);
        var distortion = first.Zip(second, (a, b) => cepstrum.Compare(Padded(a), Padded(b)).Aligned).Average();
        return new VoiceDistance(distortion, Math.Abs(MedianPitch(first) - MedianPitch(second)));
    }

    /// <summary>The median pitch of what is voiced, in semitones.</summary>
    private static double MedianPitch(IReadOnlyList<Waveform> sounds)
    {
        var pitches = sounds.SelectMany(sound => PitchTracking.ProbabilisticYin(Padded(sound), sound.SampleRate, s_pitch).Frequencies)
            .Where(frequency => frequency > 0).Order().ToList();
        return pitches.Count == 0 ? double.NaN : 12 * Math.Log2(pitches[pitches.Count / 2]);
    }

    /// <summary>
    /// A sound over noise that one hardly hears, so that the zeros between a synthesizer's words are not endlessly far from anybody's
    /// breath. One that is shorter than a frame is followed by silence.
    /// </summary>
    private static float[] Padded(Waveform sound)
    {
        var samples = new float[Math.Max(sound.Frames, 2 * FftSize)];
        sound.Channel(0).CopyTo(samples);
        var random = new Random(1);
        for (var i = 0; i < samples.Length; i++)
            samples[i] += Noise * (random.NextSingle() - 0.5f);
        return samples;
    }
}
