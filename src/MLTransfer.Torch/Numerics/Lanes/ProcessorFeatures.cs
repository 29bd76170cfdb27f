using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>What the processor can do beyond what .NET asks it for.</summary>
internal static class ProcessorFeatures
{
    /// <summary>
    /// Whether dot products of bfloat16 have instructions (AVX-512 BF16 or AMX), without which they are slower than float32.
    /// </summary>
    public static bool HasBFloat16Products { get; } = Detect();

    /// <summary>Whether lanes multiply and add with one rounding.</summary>
    public static bool HasFusedMultiplyAdd => Fma.IsSupported || AdvSimd.IsSupported;

    private static bool Detect()
    {
        if (!X86Base.IsSupported || !Avx512F.IsSupported)
            return false;
        var (highestLeaf, _, _, _) = X86Base.CpuId(0, 0);
        if (highestLeaf < 7)
            return false;
        var (_, _, _, extended) = X86Base.CpuId(7, 0);   // EDX bit 22: AMX-BF16
        var (extended1, _, _, _) = X86Base.CpuId(7, 1);  // EAX bit 5: AVX512_BF16
        return (extended1 & 1 << 5) != 0 || (extended & 1 << 22) != 0;
    }
}
