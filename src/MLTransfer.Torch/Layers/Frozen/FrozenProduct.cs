using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers.Frozen;

/// <summary>Products of rows with frozen matrices, which become numbers part by part.</summary>
internal static class FrozenProduct
{
    /// <summary>The weights that are numbers at once: no more than caches hold.</summary>
    public const int PartElements = 1 << 21;

    /// <summary>Parts of rows begin at multiples of it, which blocks divide.</summary>
    private const int ColumnUnit = 64;

    /// <summary>The product in the rows' type.</summary>
    /// <param name="input">[..., columns of the matrix] if <paramref name="byRows"/>, else [..., rows of the matrix].</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="byRows">Whether each number is the product with a row of the matrix, not with a column.</param>
    public static Tensor Multiply(Tensor input, FrozenMatrix matrix, bool byRows)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rows = input.reshape(-1, input.shape[^1]);
        var product = empty([rows.shape[0], byRows ? matrix.Rows : matrix.Columns], input.dtype);
        Multiply(rows, matrix, byRows, product);
        return product.view([.. input.shape[..^1], product.shape[1]]).MoveToOuterDisposeScope();
    }

    /// <summary>The same to where there is room.</summary>
    /// <param name="rows">[rows, inputs].</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="byRows">As above.</param>
    /// <param name="target">[rows, outputs] of the rows' type.</param>
    public static void Multiply(Tensor rows, FrozenMatrix matrix, bool byRows, Tensor target)
    {
        var (outputs, inputs) = byRows ? (matrix.Rows, matrix.Columns) : (matrix.Columns, matrix.Rows);
        var length = Math.Max(ColumnUnit, PartElements / inputs / ColumnUnit * ColumnUnit);
        for (var start = 0; start < outputs; start += length)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(length, outputs - start);
            var part = byRows
                ? matrix.Part(start, count, 0, inputs, rows.dtype).t()
                : matrix.Part(0, inputs, start, count, rows.dtype);
            target.narrow(1, start, count).copy_(mm(rows, part));
        }
    }
}
