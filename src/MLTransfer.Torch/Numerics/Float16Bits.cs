using System.Numerics.Tensors;

namespace MLTransfer.Torch.Numerics;

/// <summary>Conversions of float16.</summary>
/// <remarks>
/// The constants make a float32 of a float16 in the upper half of 32 bits: exponent and mantissa are moved to where a float32 has them and the
/// exponent is counted anew. Subnormal numbers get the smallest normal exponent and lose the leading one that it implies by a subtraction, which
/// no processor does slowly as it may products of subnormal float32. .NET has no vector conversion of its own for them.
/// </remarks>
internal static class Float16Bits
{
    /// <summary>All bits but the sign.</summary>
    public const int Magnitude = 0x7FFF0000;

    /// <summary>How many more bits the exponent of a float32 has.</summary>
    public const int Shift = 3;

    /// <summary>One of a float32's exponent; moved magnitudes below are subnormal.</summary>
    public const int ExponentUnit = 1 << 23;

    /// <summary>The difference of the exponents' zeros. Infinities and what is not a number get it twice.</summary>
    public const int Rebias = (127 - 15) * ExponentUnit;

    /// <summary>From here on moved magnitudes are not finite.</summary>
    public const int NotFinite = 31 * ExponentUnit;

    /// <summary>The smallest normal float16.</summary>
    public const float SmallestNormal = 1f / (1 << 14);

    /// <summary>Converts all numbers of <paramref name="source"/>.</summary>
    public static void Widen(ReadOnlySpan<Half> source, Span<float> target) => TensorPrimitives.ConvertToSingle(source, target);

    /// <summary>Converts all numbers of <paramref name="source"/>, rounded to the nearest, of two equally near ones to the even one.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<Half> target) => TensorPrimitives.ConvertToHalf(source, target);
}
