using System.Numerics.Tensors;

namespace MLTransfer.Torch.Numerics;

/// <summary>Conversions of float16.</summary>
/// <remarks>
/// .NET has no vector conversion of its own. The constants make a float32 of the magnitude in the upper half of 32 bits: it is moved to
/// where a float32 has exponent and mantissa, and infinities get the exponent of infinities; times <see cref="Unit"/> a normal number n is
/// right then. A subnormal one, which has no leading one, is 2 n - <see cref="SmallestNormal"/>, and that is less than n for subnormal
/// numbers alone. No step has subnormal float32, with which some processors are slow.
/// </remarks>
internal static class Float16Bits
{
    /// <summary>All bits but the sign.</summary>
    public const int Magnitude = 0x7FFF0000;

    /// <summary>How many more bits the exponent of a float32 has.</summary>
    public const int Shift = 3;

    /// <summary>The difference of the exponents of infinity, where a float32 has its exponent.</summary>
    public const int InfinityRebias = (255 - 31) << 23;

    /// <summary>2^-112: what the difference has made too much of finite numbers.</summary>
    public const float Unit = 1.925929944387236e-34f;

    /// <summary>The smallest normal float16.</summary>
    public const float SmallestNormal = 1f / (1 << 14);

    /// <summary>Converts all numbers of <paramref name="source"/>.</summary>
    public static void Widen(ReadOnlySpan<Half> source, Span<float> target) => TensorPrimitives.ConvertToSingle(source, target);

    /// <summary>Converts all numbers of <paramref name="source"/> to the nearest, of two equally near ones to the even one.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<Half> target) => TensorPrimitives.ConvertToHalf(source, target);
}
