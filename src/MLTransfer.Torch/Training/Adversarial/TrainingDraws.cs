using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>The random numbers of one step, which depend on nothing but the run's seed and the step's number.</summary>
internal sealed class TrainingDraws : IDisposable
{
    private SplitMix64 _random;

    public TrainingDraws(long seed, int step, Device device)
    {
        _random = new SplitMix64(SplitMix64.Mix((ulong)seed, 3, (ulong)step));
        Generator = new Generator(_random.NextUInt64(), device);
    }

    /// <summary>For tensors: not libtorch's generator of the process, which other threads may draw from.</summary>
    public Generator Generator { get; }

    public Tensor Normal(long[] shape, Device device) => randn(shape, ScalarType.Float32, device, generator: Generator);

    public bool Happens(double probability) => _random.NextDouble() < probability;

    /// <summary>From <paramref name="minimum"/> to less than <paramref name="end"/>.</summary>
    public int Next(int minimum, int end) => minimum + (int)(_random.NextDouble() * (end - minimum));

    /// <summary>Numbers of <paramref name="count"/> images out of all, each drawn on its own.</summary>
    public int[] Indices(int count, int end) => [.. Enumerable.Range(0, count).Select(_ => Next(0, end))];

    /// <summary>Augments each image on its own; with probability 0 they are what they were.</summary>
    public Tensor Augment(Tensor images, AugmentationGroups groups, double probability)
    {
        if (groups == AugmentationGroups.None || probability <= 0)
            return images.alias();
        var transformations = new ImageTransformation[images.shape[0]];
        for (var i = 0; i < transformations.Length; i++)
            transformations[i] = ImageTransformation.Draw(groups, probability, images.shape[1], images.shape[2], ref _random);
        return ImageAugmentation.Apply(images, transformations);
    }

    public void Dispose() => Generator.Dispose();
}
