using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Rows of activations as 16-bit integers with a scale for each group of inputs: 15 bits of the group's largest magnitude, which is more
/// than bfloat16 has. That makes products with int8 weights integer ones, of which a processor computes twice as many as of float32.
/// </summary>
internal static unsafe class FixedPointRows
{
    /// <summary>The inputs that share a scale: as many as sums of 127 * 32767 fit into 32 bits.</summary>
    public const int GroupInputs = 512;

    private const float Largest = short.MaxValue;

    /// <summary>Less than this is zero, lest its scale's inverse overflow.</summary>
    private const float Smallest = 1e-30f;

    /// <summary>Pairs of a row.</summary>
    public static int Pairs(int inputs) => (inputs + 1) / 2;

    /// <summary>Groups of a row.</summary>
    public static int Groups(int inputs) => (inputs + GroupInputs - 1) / GroupInputs;

    /// <summary>Converts one of the rows that lie interleaved.</summary>
    /// <param name="input">[inputs].</param>
    /// <param name="inputs">The length of a row.</param>
    /// <param name="height">The rows that lie interleaved.</param>
    /// <param name="values">The row's part of [pairs, rows].</param>
    /// <param name="scales">The row's part of [groups, rows]; NaN where a group has a number that is not finite.</param>
    [SkipLocalsInit]
    public static void Convert(float* input, int inputs, int height, int* values, float* scales)
    {
        Span<float> scaled = stackalloc float[GroupInputs];
        Span<int> integers = stackalloc int[GroupInputs];
        Span<short> narrow = stackalloc short[GroupInputs];
        for (var (start, group) = (0, 0); start < inputs; start += GroupInputs, group++)
        {
            var count = Math.Min(GroupInputs, inputs - start);
            var source = new ReadOnlySpan<float>(input + start, count);
            var magnitude = MathF.Abs(TensorPrimitives.MaxMagnitude(source));
            scales[group * height] = float.IsFinite(magnitude) ? magnitude / Largest : float.NaN;
            TensorPrimitives.Multiply(source, magnitude is >= Smallest and < float.PositiveInfinity ? Largest / magnitude : 0, scaled);
            TensorPrimitives.Round(scaled[..count], scaled);
            TensorPrimitives.ConvertToIntegerNative<float, int>(scaled[..count], integers);
            TensorPrimitives.ConvertTruncating<int, short>(integers[..count], narrow);
            if (count % 2 != 0)
                narrow[count++] = 0;
            var pairs = MemoryMarshal.Cast<short, int>(narrow[..count]);
            var target = values + (nint)start / 2 * height;
            if (height == 1)
            {
                pairs.CopyTo(new Span<int>(target, pairs.Length));
                continue;
            }

            foreach (var pair in pairs)
            {
                *target = pair;
                target += height;
            }
        }
    }
}
