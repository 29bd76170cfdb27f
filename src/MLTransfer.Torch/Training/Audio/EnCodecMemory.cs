using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The memory that the training of a codec takes, and with which options it takes less.</summary>
/// <param name="codec">The codec.</param>
/// <param name="options">How it is trained.</param>
internal sealed class EnCodecMemory(EnCodecModel codec, EnCodecTrainingOptions options)
{
    /// <summary>How much larger activations are in the heap than their tensors, for its gaps.</summary>
    private const double Gaps = 1.3;

    /// <summary>Numbers that losses of mel spectrograms keep for a sample, at all resolutions.</summary>
    private const int MelNumbers = 150;

    public MemoryEstimate Estimate() => Estimate(options);

    /// <summary>Changes of options; the last one is all of them together.</summary>
    /// <param name="limit">What is there, in bytes.</param>
    public IReadOnlyList<MemoryRemedy> Remedies(long limit)
    {
        if (options.BatchSize == 1)
            return [new MemoryRemedy("none", Estimate())];
        var smaller = options;
        do
            smaller = smaller with { BatchSize = smaller.BatchSize / 2 };
        while (smaller.BatchSize > 1 && Estimate(smaller).Total > limit);
        var remedy = new MemoryRemedy($"{nameof(options.BatchSize)} = {smaller.BatchSize}", Estimate(smaller));
        return [remedy, remedy];
    }

    private MemoryEstimate Estimate(EnCodecTrainingOptions of)
    {
        var codecNumbers = codec.parameters().Sum(parameter => parameter.numel());
        var discriminatorNumbers = of.Discriminator is { } discriminator
            ? discriminator.Windows.Count * (27L * discriminator.Filters * (2 * codec.Channels + 3 * discriminator.Filters)) : 0;
        var trained = codecNumbers + discriminatorNumbers;
        var samples = Math.Max(1, of.SegmentSeconds * codec.SampleRate);
        var numbers = samples * of.BatchSize * (Codec() + MelNumbers * codec.Channels + Discriminators(of));
        return new MemoryEstimate
        {
            Weights = trained * sizeof(float),
            Gradients = trained * sizeof(float),
            Optimizer = OptimizerFactory.StateNumbers(of, trained, hidden: trained) * sizeof(float),
            Activations = (long)(Gaps * numbers * sizeof(float)),
            Runtime = ProcessMemory.Runtime(codecNumbers * sizeof(float)),
        };
    }

    /// <summary>The numbers that the codec keeps for a sample.</summary>
    private double Codec()
    {
        var sizes = codec.Sizes;
        var (numbers, channels, steps) = (0.0, (double)sizes.Filters, 1.0);
        foreach (var ratio in sizes.Ratios.Reverse())
        {
            // A residual unit keeps its input activated and padded, what is between its convolutions likewise, and its sums.
            var unit = channels * (sizes.HasShortcutConvolution ? 5 : 4) + 4 * channels / sizes.Compression;
            numbers += 2 * steps * (4 * channels + sizes.ResidualUnits * unit);
            (channels, steps) = (2 * channels, steps / ratio);
        }

        return numbers + 2 * steps * channels * (12 + 14 * sizes.RecurrentLayers);
    }

    /// <summary>The numbers that discriminators keep for a sample: real and decoded sounds, frames that overlap by three
    /// quarters.</summary>
    private static double Discriminators(EnCodecTrainingOptions of) =>
        of.Discriminator is { } discriminator ? discriminator.Windows.Count * 2 * (2.0 * 2 * discriminator.Filters * 2 + 8) : 0;
}
