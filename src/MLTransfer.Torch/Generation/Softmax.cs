using System.Numerics;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Generation;

/// <summary>The parts of a softmax over one row of logits, without normalizing it.</summary>
internal static class Softmax
{
    /// <summary>The largest logit.</summary>
    public static float Maximum(ReadOnlySpan<float> logits)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var maximum = float.NegativeInfinity;
        if (!vectors.IsEmpty)
        {
            var lanes = vectors[0];
            foreach (var vector in vectors[1..])
                lanes = Vector.Max(lanes, vector);
            for (var lane = 0; lane < Vector<float>.Count; lane++)
                maximum = MathF.Max(maximum, lanes[lane]);
        }

        foreach (var logit in logits[(vectors.Length * Vector<float>.Count)..])
            maximum = MathF.Max(maximum, logit);
        return maximum;
    }

    /// <summary>Writes exp(logit - maximum) for every logit and gives the sum, added up in float64.</summary>
    /// <exception cref="InvalidOperationException">The logits are not numbers, or none is above minus infinity.</exception>
    public static double Exponentials(ReadOnlySpan<float> logits, float maximum, Span<float> exponentials)
    {
        exponentials = exponentials[..logits.Length];
        var source = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var target = MemoryMarshal.Cast<float, Vector<float>>(exponentials);
        var sums = Vector<double>.Zero;
        for (var i = 0; i < source.Length; i++)
        {
            var vector = Vector.Exp(source[i] - new Vector<float>(maximum));
            target[i] = vector;
            Vector.Widen(vector, out var low, out var high);
            sums += low + high;
        }

        var sum = Vector.Sum(sums);
        for (var i = source.Length * Vector<float>.Count; i < logits.Length; i++)
            sum += exponentials[i] = MathF.Exp(logits[i] - maximum);

        // The largest logit contributes 1.
        if (sum >= 1 && double.IsFinite(sum))
            return sum;
        throw new InvalidOperationException(float.IsNegativeInfinity(maximum)
            ? $"No token is left to choose: {nameof(GenerationOptions.NoRepeatNgramSize)} or {nameof(GenerationOptions.MinimumNewTokens)} "
                + "forbids every one. Relax them."
            : "The model's logits are not finite numbers: its weights are damaged, or its training diverged.");
    }
}
