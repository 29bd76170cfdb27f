using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The memory that the training of a VITS takes, by the numbers that its layers keep for the backward pass.</summary>
internal sealed class SpeechMemory(VitsModel model, SpeechTrainingOptions options, SpeechRows rows)
{
    /// <summary>How much larger activations are in the heap than their tensors, for its gaps and for what kernels take on the
    /// way.</summary>
    private const double Gaps = 2;

    /// <summary>Feature maps that a convolution with its rectifier, gate or residual keeps.</summary>
    private const int MapsOfLayer = 4;

    public MemoryEstimate Estimate() => Estimate(options);

    /// <summary>Changes of options; the last one is all of them together.</summary>
    public IReadOnlyList<MemoryRemedy> Remedies(long limit)
    {
        var changes = new List<(string Text, SpeechTrainingOptions Options)>();
        var fewer = options;
        while (fewer.BatchSize > 1 && Estimate(fewer).Total > limit)
        {
            fewer = fewer with
            {
                BatchSize = fewer.BatchSize / 2, GradientAccumulationSteps = 2 * fewer.GradientAccumulationSteps,
            };
        }

        if (fewer.BatchSize < options.BatchSize)
        {
            changes.Add((
                $"{nameof(options.BatchSize)} = {fewer.BatchSize} with {nameof(options.GradientAccumulationSteps)} = "
                + $"{fewer.GradientAccumulationSteps}", fewer));
        }

        var shorter = options with { SegmentSize = Math.Max(model.HopLength, options.SegmentSize / 2 / model.HopLength * model.HopLength) };
        if (shorter.SegmentSize < options.SegmentSize)
            changes.Add(($"{nameof(options.SegmentSize)} = {shorter.SegmentSize}", shorter));
        return
        [
            .. changes.Select(change => new MemoryRemedy(change.Text, Estimate(change.Options))),
            new MemoryRemedy("all of these together", Estimate(fewer with { SegmentSize = shorter.SegmentSize })),
        ];
    }

    private MemoryEstimate Estimate(SpeechTrainingOptions of)
    {
        var network = model.parameters().Sum(p => p.numel());
        var trained = model.TrainableParameters().Sum(p => p.Parameter.numel());
        var discriminator = model.Discriminator?.parameters().Sum(p => p.numel()) ?? DiscriminatorParameters(of.DiscriminatorWidth);
        return new MemoryEstimate
        {
            Weights = (2 * network + discriminator) * sizeof(float), // the network and the copy that is trained
            Gradients = (trained + discriminator) * sizeof(float),
            Optimizer = OptimizerFactory.StateNumbers(of, trained + discriminator, hidden: trained + discriminator) * sizeof(float),
            Activations = (long)(Gaps * sizeof(float) * of.BatchSize * (NumbersOfFrames() + NumbersOfSegment(of))),
            Runtime = ProcessMemory.Runtime(
                model.Device.type == TorchSharp.DeviceType.META ? 0 : (network + discriminator) * sizeof(float)),
        };
    }

    private static long DiscriminatorParameters(int width) => Enumerable.Range(0, 6)
        .Sum(part => DiscriminatorLayer.Usual(part > 0, width).Sum(l => (long)l.Outputs * (l.Inputs / l.Groups) * l.Kernel));

    /// <summary>What the longest row keeps of text encoder, posterior encoder and flow.</summary>
    private long NumbersOfFrames()
    {
        var c = model.Sizes;
        long frames = rows.Training.Max(row => row.Frames), tokens = rows.Training.Max(row => row.Ids.Length);
        var waveNets = (long)MapsOfLayer * c.HiddenWidth * (c.PosteriorLayers + c.Flows * c.FlowLayers) * frames;
        var text = c.Layers * (4L * c.Heads * tokens * tokens + tokens * (8L * c.HiddenWidth + 2 * c.InnerWidth));
        return waveNets + text + 3 * frames * tokens;
    }

    /// <summary>What a piece of sound keeps of the decoder, and of the discriminators that look at it and at a real one.</summary>
    private long NumbersOfSegment(SpeechTrainingOptions of)
    {
        var c = model.Sizes;
        var (numbers, length) = (0L, (long)of.SegmentSize / model.HopLength);
        for (var stage = 0; stage < c.Upsampling.Length; stage++)
        {
            length *= c.Upsampling[stage].Rate;
            numbers += length * c.StageWidth(stage) * (2 + MapsOfLayer * c.ResidualBlocks.Sum(block => block.Dilations.Length));
        }

        for (var part = 0; part < 6; part++)
        {
            double samples = of.SegmentSize;
            foreach (var layer in DiscriminatorLayer.Usual(part > 0, of.DiscriminatorWidth))
            {
                samples /= layer.Stride;
                numbers += (long)(3 * 2 * samples * layer.Outputs);
            }
        }

        return numbers;
    }
}
