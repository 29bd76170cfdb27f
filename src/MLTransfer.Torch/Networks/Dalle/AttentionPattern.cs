using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>Who sees whom in one sequence of text and then a picture, row by row (sparse kinds: arXiv 1904.10509).</summary>
internal static class AttentionPattern
{
    /// <summary>Rows and columns of a picture that <see cref="AttentionKind.ConvolutionLike"/> sees.</summary>
    public const int KernelSize = 5;

    /// <summary>What a kind is called in <c>attn_types</c>; null for what is none of them.</summary>
    public static AttentionKind? Of(string name) => name switch
    {
        "full" => AttentionKind.Full,
        "axial_row" => AttentionKind.AxialRow,
        "axial_col" => AttentionKind.AxialColumn,
        "conv_like" => AttentionKind.ConvolutionLike,
        _ => null,
    };

    /// <summary>Whether a query sees a key: [1, 1, length, length] bool.</summary>
    /// <param name="kind">How.</param>
    /// <param name="textPositions">Positions of text, which come first; text sees the text before it and itself.</param>
    /// <param name="side">Codes along the picture's side.</param>
    /// <param name="length">Positions of the sequence.</param>
    /// <param name="device">Where the mask goes.</param>
    public static Tensor Mask(AttentionKind kind, int textPositions, int side, int length, Device device)
    {
        using var scope = NewDisposeScope();
        var positions = arange(length, ScalarType.Int64, device);
        var (query, key) = (positions.unsqueeze(1), positions.unsqueeze(0));
        var image = (positions - textPositions).clamp_min(0);
        var (row, column) = (image.div(side, RoundingMode.floor), image.remainder(side));
        var (rowsBack, columnsBack) = (row.unsqueeze(1) - row.unsqueeze(0), column.unsqueeze(1) - column.unsqueeze(0));
        var isText = key.lt(textPositions);
        var allowed = key.le(query);
        if (kind != AttentionKind.Full)
        {
            var seen = kind switch
            {
                AttentionKind.AxialRow => rowsBack.eq(0),
                AttentionKind.AxialColumn => columnsBack.eq(0),
                _ => rowsBack.lt(KernelSize).logical_and(columnsBack.ge(0)).logical_and(columnsBack.lt(KernelSize)),
            };
            allowed = allowed.logical_and(isText.logical_or(seen));
        }

        return allowed.view(1, 1, length, length).MoveToOuterDisposeScope();
    }
}
