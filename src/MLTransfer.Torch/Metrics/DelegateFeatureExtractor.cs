using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>A feature extractor of a function, such as the forward pass of the user's own network.</summary>
/// <param name="extract">float32 images [N, channels, R, R], -1 for black and 1 for white, to features [N, width].</param>
public sealed class DelegateFeatureExtractor(Func<Tensor, Tensor> extract) : IImageFeatureExtractor
{
    /// <inheritdoc/>
    public Tensor Extract(Tensor images) => extract(images);
}
