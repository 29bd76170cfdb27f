using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>A network whose features tell how images look; distances between sets of images are measured over them.</summary>
public interface IImageFeatureExtractor
{
    /// <summary>
    /// The features of images. Called without gradients, and before any long work once with blank images, to see that they fit. Projection
    /// alone calls it with gradients, which it follows through the features.
    /// </summary>
    /// <param name="images">float32, [N, channels, R, R], -1 for black and 1 for white. Not disposed by the callee.</param>
    /// <returns>[N, width], each row a function of its image alone.</returns>
    Tensor Extract(Tensor images);
}
