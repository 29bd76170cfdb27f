using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>The random numbers of one step, which depend on nothing but the run's seed and the step's number.</summary>
internal sealed class TrainingDraws(long seed, int step) : RandomDraws(seed, step)
{
    /// <summary>Augments each image on its own; with probability 0 they are what they were.</summary>
    public Tensor Augment(Tensor images, AugmentationGroups groups, double probability)
    {
        if (groups == AugmentationGroups.None || probability <= 0)
            return images.alias();
        var transformations = new ImageTransformation[images.shape[0]];
        for (var i = 0; i < transformations.Length; i++)
            transformations[i] = ImageTransformation.Draw(groups, probability, images.shape[1], images.shape[2], ref Random);
        return ImageAugmentation.Apply(images, transformations);
    }
}
