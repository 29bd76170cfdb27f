using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The filter that checkpoints repeat in every layer.</summary>
internal static class ResampleFilter
{
    private const double FilterTolerance = 1e-5;

    /// <summary>
    /// Registers <c>resample_filter</c>, [4, 4], which checkpoints repeat in every layer, and makes sure that it is the usual one.
    /// </summary>
    /// <exception cref="NotSupportedException">It is another filter.</exception>
    public static void TakeResampleFilter(this nn.Module module, WeightScope weights)
    {
        var buffer = module.TakeBuffer(weights, "resample_filter", Initialization.Zeros, 4, 4);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var expected = Resampling.Filter(buffer.dtype, buffer.device);
        if (weights.IsNew)
            buffer.copy_(expected);
        else if (!((buffer - expected).abs().max().to(ScalarType.Float64).item<double>() <= FilterTolerance))
            throw new NotSupportedException(
                $"The tensor '{weights.Prefix}.resample_filter' is another filter than outer([1, 3, 3, 1]) / 64, the supported one.");
    }
}
