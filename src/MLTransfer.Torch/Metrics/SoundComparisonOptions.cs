using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Metrics;

/// <summary>How two sounds are compared.</summary>
public sealed record SoundComparisonOptions
{
    /// <summary>The rate at which sounds are compared, in hertz; null for that of the first real one.</summary>
    public int? SampleRate { get; init; }

    /// <summary>Samples of a frame of cepstra and mel bands; null for the least power of two that lasts 32 ms.</summary>
    public int? FrameLength { get; init; }

    /// <summary>Samples from a frame to the next; null for 8 ms.</summary>
    public int? HopLength { get; init; }

    /// <summary>Mel bands of cepstra and spectrograms.</summary>
    public int MelBands { get; init; } = 40;

    /// <summary>Cepstral coefficients beside loudness, which is left out.</summary>
    public int Coefficients { get; init; } = 13;

    /// <summary>
    /// What pitch is looked for in; null for 65 to 1000 Hz in frames of the least power of two that lasts 64 ms, one each
    /// <see cref="HopLength"/>.
    /// </summary>
    public PitchOptions? Pitch { get; init; }

    /// <summary>The options with what is null found for a rate.</summary>
    /// <exception cref="ArgumentException">A number is out of its range; the message names it.</exception>
    internal SoundComparisonOptions For(int sampleRate)
    {
        var hop = HopLength ?? Math.Max(1, (int)Math.Round(0.008 * sampleRate));
        var found = this with
        {
            SampleRate = sampleRate,
            FrameLength = FrameLength ?? PowerOfTwo(0.032 * sampleRate),
            HopLength = hop,
            Pitch = Pitch ?? new PitchOptions
            {
                HighestFrequency = Math.Min(1000, sampleRate / 2.0), FrameLength = PowerOfTwo(0.064 * sampleRate), HopLength = hop,
            },
        };
        if (found.FrameLength < 2 || found.HopLength < 1)
            throw new ArgumentException($"{nameof(FrameLength)} must be at least 2 and {nameof(HopLength)} at least 1: {found}");
        found.Pitch.Check(sampleRate);
        return found;

        static int PowerOfTwo(double least) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Ceiling(least));
    }
}
