using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>
/// Low-pass filtering with outer([1, 3, 3, 1]) / 64 around changes of resolution (arXiv 1912.04958, appendix B; arXiv 1904.11486).
/// </summary>
internal static class Resampling
{
    private static readonly float[] s_taps = [1 / 8f, 3 / 8f, 3 / 8f, 1 / 8f];

    /// <summary>The filter: [4, 4], sum 1. It is symmetric, so that convolution and correlation with it are the same.</summary>
    public static Tensor Filter(ScalarType type, Device device)
    {
        using var scope = NewDisposeScope();
        var taps = tensor(s_taps, device: device).to(type);
        return outer(taps, taps).MoveToOuterDisposeScope();
    }

    /// <summary>Filters every channel: [N, C, H, W] to [N, C, (H + 2 padding - 4) / stride + 1, ...].</summary>
    /// <param name="images">[N, C, H, W].</param>
    /// <param name="padding">Zeros at each side.</param>
    /// <param name="stride">Which pixels are kept: every one, or every second.</param>
    /// <param name="gain">A factor on the result.</param>
    public static Tensor Smooth(Tensor images, int padding, int stride = 1, double gain = 1)
    {
        using var scope = NewDisposeScope();
        var channels = images.shape[1];
        var filter = (Filter(images.dtype, images.device) * gain).expand(channels, 1, 4, 4);
        if (images.dtype == ScalarType.BFloat16 && stride > 1)
        {
            // On a CPU, libtorch's bfloat16 filter with a stride takes several times as long as all pixels without one.
            var all = F.conv2d(images, filter, padding: [padding, padding], groups: channels);
            return all.slice(2, 0, all.shape[2], stride).slice(3, 0, all.shape[3], stride).contiguous().MoveToOuterDisposeScope();
        }

        return F.conv2d(images, filter, strides: [stride, stride], padding: [padding, padding], groups: channels).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Twice the resolution: [N, C, H, W] to [N, C, 2H, 2W], each pixel a mean of its four neighbours with weights 9, 3, 3 and 1.
    /// </summary>
    public static Tensor Double(Tensor images)
    {
        // A zero after each pixel, two zeros before and one behind, then the filter times 4: a transposed convolution.
        using var scope = NewDisposeScope();
        var channels = images.shape[1];
        var filter = (Filter(images.dtype, images.device) * 4).expand(channels, 1, 4, 4);
        return F.conv_transpose2d(images, filter, strides: [2, 2], padding: [1, 1], groups: channels).MoveToOuterDisposeScope();
    }
}
