using System.Numerics;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Normalization of rows, or of the slices of rows, as of each head's query.</summary>
internal static class RowNormalization
{
    /// <summary>Layer normalization (arXiv 1607.06450): (x - mean) / sqrt(variance + epsilon) * weight + bias for each row.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="width">The width of a row.</param>
    /// <param name="weight">[width], or empty for ones.</param>
    /// <param name="bias">[width], or empty for zeros.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="output">[rows, width]; may be the input.</param>
    public static void Layer(
        ReadOnlySpan<float> input, int width, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> output)
    {
        CheckRows(input, width, output);
        CheckParameter(weight, width, nameof(weight));
        CheckParameter(bias, width, nameof(bias));
        for (var start = 0; start < input.Length; start += width)
            NormalizeLayer(input.Slice(start, width), weight, bias, epsilon, output.Slice(start, width));
    }

    /// <summary>The same for each slice of rows, where it lies.</summary>
    public static void Layer(RowSlices slices, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon)
    {
        CheckParameter(weight, slices.Width, nameof(weight));
        CheckParameter(bias, slices.Width, nameof(bias));
        for (var row = 0; row < slices.Rows; row++)
        {
            for (var slice = 0; slice < slices.Slices; slice++)
                NormalizeLayer(slices[row, slice], weight, bias, epsilon, slices[row, slice]);
        }
    }

    /// <summary>Root mean square normalization (arXiv 1910.07467): x / sqrt(mean of squares + epsilon) * weight for each row.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="width">The width of a row.</param>
    /// <param name="weight">[width], or empty for ones.</param>
    /// <param name="onePlusWeight">Whether to multiply with 1 + weight, as Gemma does.</param>
    /// <param name="epsilon">Added to the mean of squares.</param>
    /// <param name="output">[rows, width]; may be the input.</param>
    public static void RootMeanSquare(
        ReadOnlySpan<float> input, int width, ReadOnlySpan<float> weight, bool onePlusWeight, float epsilon, Span<float> output)
    {
        CheckRows(input, width, output);
        CheckParameter(weight, width, nameof(weight));
        for (var start = 0; start < input.Length; start += width)
            NormalizeRootMeanSquare(input.Slice(start, width), weight, onePlusWeight, epsilon, output.Slice(start, width));
    }

    /// <summary>The same for each slice of rows, where it lies.</summary>
    public static void RootMeanSquare(RowSlices slices, ReadOnlySpan<float> weight, bool onePlusWeight, float epsilon)
    {
        CheckParameter(weight, slices.Width, nameof(weight));
        for (var row = 0; row < slices.Rows; row++)
        {
            for (var slice = 0; slice < slices.Slices; slice++)
                NormalizeRootMeanSquare(slices[row, slice], weight, onePlusWeight, epsilon, slices[row, slice]);
        }
    }

    private static void CheckRows(ReadOnlySpan<float> input, int width, Span<float> output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, input.Length);
        if (width < 1 || input.Length % width != 0)
            throw new ArgumentException($"{input.Length} numbers are not rows of {width}.", nameof(width));
    }

    private static void CheckParameter(ReadOnlySpan<float> parameter, int width, string name)
    {
        if (parameter.Length != 0)
            ArgumentOutOfRangeException.ThrowIfNotEqual(parameter.Length, width, name);
    }

    private static void NormalizeLayer(
        ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> y)
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
        {
            var value = (vectors[i] - new Vector<float>(mean)) * factor;
            if (!weights.IsEmpty)
                value *= weights[i];
            targets[i] = biases.IsEmpty ? value : value + biases[i];
        }

        for (var i = rest; i < x.Length; i++)
        {
            var value = (x[i] - mean) * factor;
            if (!weight.IsEmpty)
                value *= weight[i];
            y[i] = bias.IsEmpty ? value : value + bias[i];
        }
    }

    private static void NormalizeRootMeanSquare(
        ReadOnlySpan<float> x, ReadOnlySpan<float> weight, bool onePlusWeight, float epsilon, Span<float> y)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(x);
        var rest = vectors.Length * Vector<float>.Count;
        var squares = Vector<float>.Zero;
        foreach (var vector in vectors)
            squares += vector * vector;
        var square = Vector.Sum(squares);
        foreach (var value in x[rest..])
            square += value * value;
        var factor = 1 / MathF.Sqrt(square / x.Length + epsilon);

        var addend = onePlusWeight ? 1f : 0f;
        var weights = MemoryMarshal.Cast<float, Vector<float>>(weight);
        var targets = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (var i = 0; i < vectors.Length; i++)
            targets[i] = weights.IsEmpty ? vectors[i] * factor : vectors[i] * factor * (weights[i] + new Vector<float>(addend));
        for (var i = rest; i < x.Length; i++)
            y[i] = weight.IsEmpty ? x[i] * factor : x[i] * factor * (weight[i] + addend);
    }
}
