using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Rounds blocks of 32 numbers to codes of 4 bits: value = scale * (code - 8), with the scale whose squared error is least among some.
/// </summary>
/// <remarks>
/// The number of the largest magnitude comes near the code 0, which is one step further from the middle than 15 is, so that the scale has
/// its sign reversed. Larger and smaller steps than those that hit it exactly cost it some error, and spare the others more.
/// </remarks>
internal static class Int4Rounding
{
    /// <summary>The numbers of a block.</summary>
    public const int Length = 32;

    /// <summary>The code of 0.</summary>
    public const int Middle = 8;

    private const float Smallest = 1e-30f;

    private const int Highest = 15;

    /// <summary>Candidates: as many quarters of a step that the largest magnitude is moved by, up and down.</summary>
    private const int Candidates = 4;

    /// <summary>The codes of a block, and its scale: NaN where a number is not finite.</summary>
    /// <param name="values">[32].</param>
    /// <param name="codes">[32], from 0 to 15.</param>
    /// <param name="round">Rounds a scale to the type that it is stored in.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Round(ReadOnlySpan<float> values, Span<byte> codes, Func<float, float> round)
    {
        var (first, second) = (Vector512.Create(values), Vector512.Create(values[Vector512<float>.Count..]));
        var extreme = Extreme(values);
        if (!(MathF.Abs(extreme) is >= Smallest and < float.PositiveInfinity))
        {
            codes[..Length].Fill(Middle);
            return float.IsFinite(extreme) ? 0 : float.NaN;
        }

        var (best, bestGain) = (0f, float.NegativeInfinity);
        for (var i = 0; i <= 2 * Candidates; i++)
        {
            var candidate = i % 2 == 0 ? i / 2 : -(i + 1) / 2; // of equally good ones the nearest
            // the best scale s for codes q is sum(x q) / sum(q q); a scale leaves sum(x x) - s (2 sum(x q) - s sum(q q))
            var inverse = Vector512.Create(-(Middle + candidate / 4f) / extreme);
            var (firstSteps, secondSteps) = (Steps(first * inverse), Steps(second * inverse));
            var product = Vector512.Sum(first * firstSteps + second * secondSteps);
            var square = Vector512.Sum(firstSteps * firstSteps + secondSteps * secondSteps);
            var scale = round(product / square);
            var gain = scale * (2 * product - scale * square);
            if (gain > bestGain)
                (best, bestGain) = (scale, gain);
        }

        var step = Vector512.Create(best == 0 ? 0 : 1 / best);
        var middle = Vector512.Create((float)Middle);
        var narrow = Vector512.Narrow(
            Vector512.ConvertToInt32Native(Steps(first * step) + middle), Vector512.ConvertToInt32Native(Steps(second * step) + middle));
        Vector256.Narrow(narrow.GetLower(), narrow.GetUpper()).AsByte().CopyTo(codes);
        return best;
    }

    /// <summary>From -8 to 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Steps(Vector512<float> scaled) => Vector512.Max(
        Vector512.Create((float)-Middle), Vector512.Min(Vector512.Create((float)(Highest - Middle)), Vector512.Round(scaled)));

    /// <summary>The first number of the largest magnitude, or one that is not finite.</summary>
    private static float Extreme(ReadOnlySpan<float> values)
    {
        var extreme = 0f;
        foreach (var value in values[..Length])
        {
            if (!float.IsFinite(value))
                return value;
            if (MathF.Abs(value) > MathF.Abs(extreme))
                extreme = value;
        }

        return extreme;
    }
}
