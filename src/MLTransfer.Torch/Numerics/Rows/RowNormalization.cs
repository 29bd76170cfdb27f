using System.Numerics;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Layer normalization of rows.</summary>
internal static class RowNormalization
{
    /// <summary>(x - mean) / sqrt(variance + epsilon) * weight + bias for each row.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="bias">[width].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="output">[rows, width].</param>
    public static void Compute(ReadOnlySpan<float> input, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> output)
    {
        var width = weight.Length;
        for (var start = 0; start < input.Length; start += width)
            ComputeRow(input.Slice(start, width), weight, bias, epsilon, output.Slice(start, width));
    }

    private static void ComputeRow(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> y)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(x);
        var rest = vectors.Length * Vector<float>.Count;
        var sums = Vector<float>.Zero;
        foreach (var vector in vectors)
            sums += vector;
        var sum = Vector.Sum(sums);
        foreach (var value in x[rest..])
            sum += value;
        var mean = sum / x.Length;

        var squares = Vector<float>.Zero;
        foreach (var vector in vectors)
        {
            var difference = vector - new Vector<float>(mean);
            squares += difference * difference;
        }

        var square = Vector.Sum(squares);
        foreach (var value in x[rest..])
            square += (value - mean) * (value - mean);
        var factor = 1 / MathF.Sqrt(square / x.Length + epsilon);

        var weights = MemoryMarshal.Cast<float, Vector<float>>(weight);
        var biases = MemoryMarshal.Cast<float, Vector<float>>(bias);
        var targets = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (var i = 0; i < vectors.Length; i++)
            targets[i] = (vectors[i] - new Vector<float>(mean)) * factor * weights[i] + biases[i];
        for (var i = rest; i < x.Length; i++)
            y[i] = (x[i] - mean) * factor * weight[i] + bias[i];
    }
}
