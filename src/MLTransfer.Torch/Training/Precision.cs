using MLTransfer.Torch.Numerics.Lanes;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>
/// The number format that matrix products are computed in while training. Weights, gradients and the optimizer are float32 in any case.
/// </summary>
public enum Precision
{
    /// <summary>float32: the numbers of the reference.</summary>
    Float32,

    /// <summary>
    /// bfloat16 products with float32 master weights, as <c>bf16</c> of transformers (autocast): faster where the processor has
    /// instructions for it.
    /// </summary>
    BFloat16,

    /// <summary>
    /// <see cref="BFloat16"/> where the processor has AVX-512 BF16 or AMX instructions or the model is on a GPU, else
    /// <see cref="Float32"/>.
    /// </summary>
    Auto,
}

internal static class PrecisionTypes
{
    /// <summary>The type that products are computed in on a device; null for that of the weights.</summary>
    public static ScalarType? ComputeType(this Precision precision, Device device)
    {
        // A network without memory (meta) is asked about in place of one on the CPU.
        var fast = ProcessorFeatures.HasBFloat16Products || device.type is not (DeviceType.CPU or DeviceType.META);
        return precision == Precision.BFloat16 || precision == Precision.Auto && fast ? ScalarType.BFloat16 : null;
    }
}
