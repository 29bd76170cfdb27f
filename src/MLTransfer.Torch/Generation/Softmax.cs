using System.Numerics;
using System.Numerics.Tensors;
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
        TensorPrimitives.Subtract(logits, maximum, exponentials);
        TensorPrimitives.Exp(exponentials, exponentials);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(exponentials);
        var sums = Vector<double>.Zero;
        foreach (var vector in vectors)
        {
            Vector.Widen(vector, out var low, out var high);
            sums += low + high;
        }

        var sum = Vector.Sum(sums);
        foreach (var exponential in exponentials[(vectors.Length * Vector<float>.Count)..])
            sum += exponential;

        // The largest logit contributes 1.
        if (sum >= 1 && double.IsFinite(sum))
            return sum;
        throw new InvalidOperationException(float.IsNegativeInfinity(maximum)
            ? $"No token is left to choose: {nameof(GenerationOptions.NoRepeatNgramSize)} or {nameof(GenerationOptions.MinimumNewTokens)} "
                + "forbids every one. Relax them."
            : "The model's logits are not finite numbers: its weights are damaged, or its training diverged.");
    }
}
