using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>The latent vectors of pictures. N: the pictures, in their order.</summary>
/// <param name="Latents">[N, 1, style width] of one style for all layers, or [N, styles, style width].</param>
/// <param name="NoiseMaps">
/// By layer, such as <c>b8.conv1</c>, the noise maps that belong to the latent vectors, [N, 1, R, R]; empty where those of the model stay.
/// </param>
/// <param name="Images">What the generator makes of both, [N, channels, R, R]: -1 is black and 1 white; values may lie beyond.</param>
/// <param name="PixelDistances">For each picture the mean squared difference of these from its pixels, which go from -1 to 1.</param>
public sealed record ProjectionResult(
    Tensor Latents, IReadOnlyDictionary<string, Tensor> NoiseMaps, Tensor Images, IReadOnlyList<double> PixelDistances) : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Latents.Dispose();
        Images.Dispose();
        foreach (var map in NoiseMaps.Values)
            map.Dispose();
    }
}
