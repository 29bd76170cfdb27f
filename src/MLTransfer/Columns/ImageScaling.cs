namespace MLTransfer;

/// <summary>How the pixels of images become the numbers that a network takes: (pixel * scale - mean) / standard deviation.</summary>
public sealed record ImageScaling
{
    /// <summary>What pixels from 0 to 255 are multiplied with.</summary>
    public float Scale { get; init; } = 1 / 255f;

    /// <summary>What is subtracted then: one number for each channel, or one for all.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0];

    /// <summary>What the rest is divided by: one number for each channel, or one for all.</summary>
    public IReadOnlyList<float> StandardDeviation { get; init; } = [1];

    /// <summary>
    /// Pixels as they are, from 0 to 255, for networks that scale them themselves, such as those that this library exports.
    /// </summary>
    public static ImageScaling Pixels { get; } = new() { Scale = 1 };

    /// <summary>Numbers from 0 to 1.</summary>
    public static ImageScaling ZeroToOne { get; } = new();

    /// <summary>Numbers from -1 to 1, as generators with a final tanh have them.</summary>
    public static ImageScaling MinusOneToOne { get; } = new() { Mean = [0.5f], StandardDeviation = [0.5f] };

    /// <summary>The statistics of ImageNet, with which most classifiers of torchvision and timm were trained.</summary>
    public static ImageScaling ImageNet { get; } = new() { Mean = [0.485f, 0.456f, 0.406f], StandardDeviation = [0.229f, 0.224f, 0.225f] };

    /// <summary>Checks the numbers against the number of channels of a picture.</summary>
    /// <exception cref="ArgumentException">A number is not usable; the message names it.</exception>
    internal void Check(long channels)
    {
        if (!float.IsFinite(Scale) || Scale <= 0)
            throw new ArgumentException($"{nameof(ImageScaling)}.{nameof(Scale)} is {Scale}; expected a positive number.");
        CheckList(nameof(Mean), Mean, float.IsFinite);
        CheckList(nameof(StandardDeviation), StandardDeviation, value => float.IsFinite(value) && value > 0);

        void CheckList(string name, IReadOnlyList<float>? values, Func<float, bool> isUsable)
        {
            if (values is null || (values.Count != 1 && values.Count != channels) || !values.All(isUsable))
            {
                throw new ArgumentException(
                    $"{nameof(ImageScaling)}.{name} is [{string.Join(", ", values ?? [])}]; expected one number, or one for each of "
                    + $"{channels} channels"
                    + (name == nameof(Mean) ? "." : ", each above 0."));
            }
        }
    }

    /// <summary>Whether another one gives the same numbers for pictures of so many channels.</summary>
    /// <exception cref="ArgumentException">The other one has numbers that are not usable.</exception>
    internal bool Equals(ImageScaling other, long channels)
    {
        other.Check(channels);
        return Enumerable.Range(0, (int)channels).All(channel => Channel(channel) == other.Channel(channel));
    }

    /// <summary>The factor and the offset of a channel: value = pixel * factor + offset.</summary>
    internal (float Factor, float Offset) Channel(int channel)
    {
        var (mean, deviation) = (Mean[Mean.Count == 1 ? 0 : channel], StandardDeviation[StandardDeviation.Count == 1 ? 0 : channel]);
        return (Scale / deviation, -mean / deviation);
    }

    /// <summary>The pixel, unrounded, that a value of a channel was made of.</summary>
    internal float ToPixel(int channel, float value)
    {
        var (factor, offset) = Channel(channel);
        return (value - offset) / factor;
    }
}
