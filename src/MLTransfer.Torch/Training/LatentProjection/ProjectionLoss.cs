using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Metrics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>How far images are from the pictures that they shall become.</summary>
internal sealed class ProjectionLoss : IDisposable
{
    private readonly ProjectionOptions _options;
    private readonly IImageFeatureExtractor? _extractor;
    private readonly Tensor _pictures;
    private readonly Tensor? _features;

    /// <param name="pictures">[N, channels, R, R]; stays the caller's.</param>
    /// <param name="extractor">Null for pixels alone.</param>
    /// <param name="options">Has the weights.</param>
    /// <exception cref="ArgumentException">The extractor gives another shape than [N, width].</exception>
    public ProjectionLoss(Tensor pictures, IImageFeatureExtractor? extractor, ProjectionOptions options)
    {
        (_pictures, _options) = (pictures, options);
        _extractor = options.FeatureWeight > 0 ? extractor : null;
        using var gradients = no_grad();
        _features = _extractor is null ? null : Features(pictures).DetachFromDisposeScope();
    }

    /// <summary>The mean squared differences of pixels, and the squared distances of features: [N] each.</summary>
    /// <param name="images">[N, channels, R, R].</param>
    /// <exception cref="ArgumentException">The features have no gradient.</exception>
    public (Tensor Pixels, Tensor Features) Distances(Tensor images)
    {
        using var scope = NewDisposeScope();
        var pixels = (images - _pictures).square().mean([1, 2, 3]);
        var features = _features is null ? zeros_like(pixels) : (Features(images) - _features).square().sum(1);
        if (_features is not null && images.requires_grad && !features.requires_grad)
        {
            throw new ArgumentException(
                $"The features of {_extractor!.GetType().Name} have no gradient, which projection follows: give a TorchScript network or a "
                + "function of TorchSharp. What ONNX Runtime computes has none.", nameof(images));
        }

        return (pixels.MoveToOuterDisposeScope(), features.MoveToOuterDisposeScope());
    }

    /// <summary>The weighted sum: [N].</summary>
    public Tensor Weigh(Tensor pixels, Tensor features, Tensor noise)
    {
        using var scope = NewDisposeScope();
        return (pixels * _options.PixelWeight + features * _options.FeatureWeight + noise * _options.NoiseRegularizationWeight)
            .MoveToOuterDisposeScope();
    }

    public void Dispose() => _features?.Dispose();

    private Tensor Features(Tensor images)
    {
        var features = _extractor!.Extract(images);
        return features.dim() == 2 && features.shape[0] == images.shape[0] ? features : throw new ArgumentException(
            $"The feature extractor gave shape {TensorShape.Describe(features.shape)} for {images.shape[0]} images; expected "
            + $"[{images.shape[0]}, width].", nameof(images));
    }
}
