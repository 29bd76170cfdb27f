namespace MLTransfer.Torch.Sounds;

/// <summary>What a pitch is looked for in.</summary>
public sealed record PitchOptions
{
    /// <summary>The lowest pitch, in hertz.</summary>
    public double LowestFrequency { get; init; } = 65;

    /// <summary>The highest pitch, in hertz; at most half the rate.</summary>
    public double HighestFrequency { get; init; } = 1000;

    /// <summary>Samples of a frame: more than two periods of the lowest pitch.</summary>
    public int FrameLength { get; init; } = 2048;

    /// <summary>Samples from the middle of a frame to the next one's.</summary>
    public int HopLength { get; init; } = 512;

    /// <exception cref="ArgumentException">A number is out of its range; the message names it.</exception>
    internal void Check(int sampleRate)
    {
        if (!(LowestFrequency > 0 && LowestFrequency < HighestFrequency && HighestFrequency <= sampleRate / 2.0))
        {
            throw new ArgumentException(
                $"{nameof(LowestFrequency)} and {nameof(HighestFrequency)} must ascend between 0 and half of {sampleRate} Hz: {this}");
        }

        if (HopLength < 1)
            throw new ArgumentException($"{nameof(HopLength)} must be at least 1: {this}");
        if (FrameLength < 4 || sampleRate / LowestFrequency >= FrameLength - 1)
        {
            throw new ArgumentException(
                $"{nameof(FrameLength)} holds no period of {nameof(LowestFrequency)} at {sampleRate} Hz: {this}");
        }
    }
}
