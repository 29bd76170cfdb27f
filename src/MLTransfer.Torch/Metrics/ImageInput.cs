using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Metrics;

/// <summary>Brings images to the range and size that a network of another origin takes.</summary>
internal static class ImageInput
{
    /// <param name="images">
    /// [N, channels, R, R], -1 for black and 1 for white; what lies beyond is cut off, but not of images whose gradient is asked for, which
    /// would have none there.
    /// </param>
    /// <param name="black">What the network takes for black.</param>
    /// <param name="white">What the network takes for white.</param>
    /// <param name="size">What images are resized to, bilinearly; null for as they are.</param>
    /// <returns>[N, channels, height, width].</returns>
    public static Tensor Convert(Tensor images, double black, double white, (long Height, long Width)? size)
    {
        using var scope = NewDisposeScope();
        var converted = ((images.requires_grad ? images : images.clamp(-1, 1)) + 1) * ((white - black) / 2) + black;
        if (size is { } wanted && (images.shape[2], images.shape[3]) != wanted)
            converted = F.interpolate(converted, [wanted.Height, wanted.Width], mode: InterpolationMode.Bilinear, align_corners: false);
        return converted.MoveToOuterDisposeScope();
    }
}
