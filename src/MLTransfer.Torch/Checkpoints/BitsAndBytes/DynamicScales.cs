namespace MLTransfer.Torch.Checkpoints.BitsAndBytes;

/// <summary>
/// Scales of blocks in 8 bits ("double quantization", arXiv 2305.14314): their mean is taken off, and blocks of 256 of what remains have
/// one scale in float32. Codes stand for 256 values whose steps grow with their size (arXiv 1511.04561).
/// </summary>
internal static class DynamicScales
{
    /// <summary>The scales that have a scale together.</summary>
    public const int Length = 256;

    private const int Exponents = 7;

    /// <summary>
    /// 0, 1, and for each power of ten e from -6 to 0, with both signs, the means of neighbours among 2^(e + 6) + 1 even points from 0.1 to
    /// 1, times it. Sorted.
    /// </summary>
    public static float[] Values { get; } = MakeValues();

    /// <summary>The mean of scales, in float32 as they are.</summary>
    public static float OffsetOf(ReadOnlySpan<float> scales)
    {
        double sum = 0;
        foreach (var scale in scales)
            sum += scale;
        return scales.IsEmpty ? 0 : (float)(sum / scales.Length);
    }

    /// <summary>Rounds a block of scales to the nearest values.</summary>
    /// <param name="scales">Up to 256.</param>
    /// <param name="offset">Is taken off.</param>
    /// <param name="codes">As many.</param>
    /// <returns>The block's scale.</returns>
    public static float Encode(ReadOnlySpan<float> scales, float offset, Span<byte> codes)
    {
        var largest = 0f;
        foreach (var scale in scales)
            largest = MathF.Max(largest, MathF.Abs(scale - offset));
        for (var i = 0; i < scales.Length; i++)
            codes[i] = Nearest(largest == 0 ? 0 : (scales[i] - offset) / largest);
        return largest;
    }

    private static byte Nearest(float value)
    {
        var index = Array.BinarySearch(Values, value);
        if (index >= 0)
            return (byte)index;
        var above = Math.Clamp(~index, 1, Values.Length - 1);
        return (byte)(value - Values[above - 1] <= Values[above] - value ? above - 1 : above);
    }

    private static float[] MakeValues()
    {
        const float First = 0.1f;
        var values = new List<float> { 0, 1 };
        for (var exponent = 0; exponent < Exponents; exponent++)
        {
            var (steps, factor) = (1 << exponent, (float)Math.Pow(10, exponent - Exponents + 1));
            var step = (1 - First) / steps;
            for (var i = 0; i < steps; i++)
            {
                var value = factor * ((Point(i) + Point(i + 1)) / 2);
                values.Add(value);
                values.Add(-value);
            }

            // from the nearer end, rounded once, as PyTorch's linspace
            float Point(int i) => i < (steps + 1) / 2
                ? float.FusedMultiplyAdd(step, i, First) : float.FusedMultiplyAdd(-step, steps - i, 1);
        }

        return [.. values.Order()];
    }
}
