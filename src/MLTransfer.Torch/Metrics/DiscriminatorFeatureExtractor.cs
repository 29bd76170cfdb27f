using MLTransfer.Torch.Networks.StyleGan2;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>The last hidden layer of a pretrained discriminator, for want of a classifier of such images.</summary>
/// <remarks>Distances are only comparable over the same features: give a discriminator that is not being trained.</remarks>
/// <param name="discriminator">Stays the caller's.</param>
public sealed class DiscriminatorFeatureExtractor(StyleGan2Discriminator discriminator) : IImageFeatureExtractor
{
    /// <inheritdoc/>
    public Tensor Extract(Tensor images) => discriminator.Features(images);
}
