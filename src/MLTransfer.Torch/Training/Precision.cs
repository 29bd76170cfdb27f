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
    /// <see cref="BFloat16"/> on a GPU, and where the processor has AVX-512 BF16 or AMX instructions, unless products of the network's own
    /// sizes are measured to be clearly faster in float32; else <see cref="Float32"/>. The choice is measured once a process, in at most a
    /// fifth of a second; small networks are not worth it. The log, the checkpoint and the model tell what it was, and a run that is
    /// resumed keeps it. A choice that is near to the other may fall otherwise on another day: name a format where bits have to be equal.
    /// </summary>
    Auto,
}

internal static class PrecisionTypes
{
    /// <summary>The type that products are computed in; null for that of the weights.</summary>
    /// <param name="precision">Not <see cref="Precision.Auto"/>.</param>
    public static ScalarType? ComputeType(this Precision precision) => precision == Precision.BFloat16 ? ScalarType.BFloat16 : null;

    /// <summary>Whether products may come to be computed in bfloat16 on a device.</summary>
    public static bool MayBeBFloat16(this Precision precision, Device device) => precision == Precision.BFloat16
        || precision == Precision.Auto && (ProcessorFeatures.HasBFloat16Products || !IsProcessor(device));

    /// <summary>A network without memory (meta) is asked about in place of one on the CPU.</summary>
    public static bool IsProcessor(Device device) => device.type is DeviceType.CPU or DeviceType.META;
}
