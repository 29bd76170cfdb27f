using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.StyleGan2;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>The memory that the training of a StyleGAN2 takes, and with which options it takes less.</summary>
/// <param name="model">The model.</param>
/// <param name="options">How it is trained.</param>
internal sealed class AdversarialMemory(StyleGan2Model model, AdversarialTrainingOptions options)
{
    /// <summary>How much larger activations are in the heap than their tensors, for its gaps.</summary>
    private const double Gaps = 1.15;

    /// <summary>
    /// What a graph takes whose backward pass is a graph too, as that of a penalty on gradients, in graphs of the forward pass.
    /// </summary>
    private const double SecondOrder = 2.5;

    private readonly AdversarialTrainingOptions _options =
        TrainingComputation.Of(options with { Collective = null }, model.Generator.Device, () => LargestProducts.Of(model)).Fix(options);

    private readonly StyleGan2Configuration _configuration = StyleGan2Configuration.Parse(model.Configuration, "config.json");

    public MemoryEstimate Estimate() => Estimate(_options);

    /// <summary>Changes of options; the last one is all of them together.</summary>
    /// <param name="limit">What is there, in bytes.</param>
    public IReadOnlyList<MemoryRemedy> Remedies(long limit)
    {
        var changes = new List<(string Text, Func<AdversarialTrainingOptions, AdversarialTrainingOptions> Apply)>();
        if (SmallerBatch(limit) is { } batch)
            changes.Add(($"{nameof(TrainingOptions.BatchSize)} = {batch}", o => o with { BatchSize = batch }));
        if (FeatureType(_options) == ScalarType.Float32)
        {
            changes.Add(($"{nameof(Precision)} = {nameof(Precision)}.{Precision.BFloat16}",
                o => o with { Precision = Precision.BFloat16 }));
        }

        return
        [
            .. changes.Select(change => new MemoryRemedy(change.Text, Estimate(change.Apply(_options)))),
            new MemoryRemedy(
                "all of these together", Estimate(changes.Aggregate(_options, (changed, change) => change.Apply(changed)))),
        ];
    }

    private static ScalarType FeatureType(AdversarialTrainingOptions of) => of.Precision.ComputeType() ?? ScalarType.Float32;

    /// <summary>The largest half, quarter... that groups divide and that is enough, else the smallest; null where there is none.</summary>
    private int? SmallerBatch(long limit)
    {
        int? found = null;
        for (var batch = _options.BatchSize / 2; batch >= 1; batch /= 2)
        {
            if (batch % Math.Min(model.Discriminator.GroupSize, batch) != 0)
                continue;
            found = batch;
            if (Estimate(_options with { BatchSize = batch }).Total <= limit)
                break;
        }

        return found;
    }

    private MemoryEstimate Estimate(AdversarialTrainingOptions of)
    {
        long Elements(nn.Module network) => network.parameters().Sum(p => p.numel());
        var (generator, discriminator) = (Elements(model.Generator), Elements(model.Discriminator));
        var trainedGenerator = FrozenBlocks.TrainableParameters(model.Generator, of).Sum(p => p.Parameter.numel());
        var trainedDiscriminator = FrozenBlocks.TrainableParameters(model.Discriminator, of).Sum(p => p.Parameter.numel());
        return new MemoryEstimate
        {
            Weights = (2 * generator + discriminator) * sizeof(float), // the running mean of the generator is one more
            Gradients = Math.Max(trainedGenerator, trainedDiscriminator) * sizeof(float), // of one network at a time
            Optimizer = (trainedGenerator + trainedDiscriminator) * 2 * sizeof(float),
            Activations = (long)(Gaps * Activations(of)),
            Runtime = ProcessMemory.Runtime(
                model.Generator.Device.type == TorchSharp.DeviceType.META ? 0 : (generator + discriminator) * sizeof(float)),
        };
    }

    /// <summary>
    /// Of all kinds of update together: they take turns, but tensors of one rarely fit into the gaps that those of another have left.
    /// </summary>
    private long Activations(AdversarialTrainingOptions of)
    {
        var size = NativeTensor.ElementSize(FeatureType(of));
        var (synthesis, judgement) = (Synthesis() * size, Judgement() * size);
        var pathLength = of.PathLengthInterval > 0 ? SecondOrder * synthesis * Math.Max(1, of.BatchSize / 2) : 0;
        var penalty = of.GradientPenaltyInterval > 0 ? SecondOrder * judgement * of.BatchSize : 0;
        return (long)((synthesis + judgement) * of.BatchSize + pathLength + penalty); // the generator's update goes through both networks
    }

    /// <summary>The numbers of features that making an image keeps.</summary>
    private long Synthesis()
    {
        var sizes = _configuration.Generator;
        return StyleGan2Configuration.Resolutions(sizes.ImageResolution).Sum(resolution =>
        {
            var (pixels, channels) = ((long)resolution * resolution, sizes.Synthesis.Channels(resolution));
            var image = 3 * pixels * sizes.ImageChannels;

            // A convolution keeps its modulated input, its output, and that after its activation; one that doubles also its smoothed one.
            return resolution == 4
                ? 3 * pixels * channels + image
                : pixels / 4 * sizes.Synthesis.Channels(resolution / 2) + 6 * pixels * channels + image;
        });
    }

    /// <summary>The numbers of features that judging an image keeps.</summary>
    private long Judgement()
    {
        var sizes = _configuration.Discriminator;
        return StyleGan2Configuration.Resolutions(sizes.ImageResolution).Sum(resolution =>
        {
            var (pixels, channels) = ((long)resolution * resolution, sizes.Channels(resolution));
            if (resolution == 4)
                return 3 * pixels * channels;
            var first = resolution == sizes.ImageResolution ? pixels * (channels + 2 * sizes.ImageChannels) : 0;

            // Both convolutions' activations, what is smoothed for the second, and a quarter of it for the shortcut.
            return first + 2 * pixels * channels + pixels / 4 * (channels + sizes.Channels(resolution / 2));
        });
    }
}
