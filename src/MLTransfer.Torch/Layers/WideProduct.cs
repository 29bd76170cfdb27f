using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>
/// Products of rows with a matrix of many outputs that may be kept in a narrower type than theirs: it is converted part by part, so that it
/// never exists in the rows' type as a whole.
/// </summary>
internal static class WideProduct
{
    /// <summary>The elements of a matrix that are converted at once.</summary>
    internal const long PartElements = 1 << 24;

    /// <summary>target = rows * matrix^T.</summary>
    /// <param name="rows">[rows, inputs].</param>
    /// <param name="matrix">[outputs, inputs] of any type.</param>
    /// <param name="target">[rows, outputs] of the rows' type.</param>
    public static void Multiply(Tensor rows, Tensor matrix, Tensor target)
    {
        using var scope = NewDisposeScope();
        if (matrix.dtype == rows.dtype)
        {
            target.addmm_(rows, matrix.t(), 0, 1);
            return;
        }

        foreach (var (start, count) in Parts(matrix))
        {
            using var part = NewDisposeScope();
            target.narrow(1, start, count).copy_(mm(rows, matrix.narrow(0, start, count).to(rows.dtype).t()));
        }
    }

    /// <summary>gradients * matrix, which is the gradient of the rows: [rows, inputs].</summary>
    /// <param name="gradients">[rows, outputs].</param>
    /// <param name="matrix">[outputs, inputs] of any type.</param>
    public static Tensor Back(Tensor gradients, Tensor matrix)
    {
        using var scope = NewDisposeScope();
        if (matrix.dtype == gradients.dtype)
            return mm(gradients, matrix).MoveToOuterDisposeScope();
        var sum = zeros([gradients.shape[0], matrix.shape[1]], gradients.dtype, gradients.device);
        foreach (var (start, count) in Parts(matrix))
        {
            using var part = NewDisposeScope();
            sum.addmm_(gradients.narrow(1, start, count), matrix.narrow(0, start, count).to(gradients.dtype), 1, 1);
        }

        return sum.MoveToOuterDisposeScope();
    }

    private static IEnumerable<(long Start, long Count)> Parts(Tensor matrix)
    {
        var (outputs, length) = (matrix.shape[0], Math.Max(1, PartElements / matrix.shape[1]));
        for (long start = 0; start < outputs; start += length)
            yield return (start, Math.Min(length, outputs - start));
    }
}
