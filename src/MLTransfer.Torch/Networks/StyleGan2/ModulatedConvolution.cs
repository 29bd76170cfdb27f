using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>
/// The convolution whose weights depend on the style (arXiv 1912.04958, section 2.2): w' = s_i w_ijk, w'' = w' / sqrt(sum_ik w'^2 + 1e-8).
/// </summary>
/// <remarks>
/// Both factors are constant over a sample's pixels, so that they may as well scale the input's and the output's feature maps: one
/// convolution for the whole batch, without a copy of the weights for each sample.
/// </remarks>
internal static class ModulatedConvolution
{
    private const double Epsilon = 1e-8;

    /// <summary>The factor on each output channel: [N, output].</summary>
    /// <param name="weight">[output, input, 3, 3].</param>
    /// <param name="styles">[N, input].</param>
    public static Tensor Demodulation(Tensor weight, Tensor styles)
    {
        using var scope = NewDisposeScope();
        var energy = weight.square().sum([2, 3]); // [output, input]
        return (mm(styles.square(), energy.t()) + Epsilon).rsqrt().MoveToOuterDisposeScope();
    }

    /// <summary>The convolution with modulated weights, before demodulation, computed in the input's type.</summary>
    /// <param name="input">[N, input, R, R].</param>
    /// <param name="weight">[output, input, 3, 3].</param>
    /// <param name="styles">[N, input].</param>
    /// <param name="doubles">Whether it doubles the resolution.</param>
    /// <returns>[N, output, R, R], or 2R.</returns>
    public static Tensor Convolve(Tensor input, Tensor weight, Tensor styles, bool doubles)
    {
        using var scope = NewDisposeScope();
        var modulated = input * styles.to(input.dtype).unsqueeze(-1).unsqueeze(-1);
        weight = weight.to(input.dtype);
        var output = doubles
            ? Resampling.Smooth(F.conv_transpose2d(modulated, weight.transpose(0, 1), strides: [2, 2]), padding: 1, gain: 4)
            : F.conv2d(modulated, weight, padding: [1, 1]);
        return output.MoveToOuterDisposeScope();
    }
}
