using MLTransfer.Torch.Networks.Dalle;

namespace MLTransfer.Onnx.Writing.Dalle;

/// <summary>Where a channel of a position comes from.</summary>
internal enum ShiftSource
{
    Itself,
    Left,
    Above,

    /// <summary>There is no position to the left or above: 0.</summary>
    Nothing,
}

/// <summary>Where <see cref="TokenShift"/> has each channel from. Positions of a kind have all of theirs from the same places.</summary>
internal static class ShiftPattern
{
    /// <summary>What comes from the left in a text; from above and from the left in a picture.</summary>
    private static readonly (bool IsText, ShiftSource Above, ShiftSource Left)[] s_kinds =
    [
        (true, ShiftSource.Nothing, ShiftSource.Nothing), (true, ShiftSource.Nothing, ShiftSource.Left),
        (false, ShiftSource.Above, ShiftSource.Left), (false, ShiftSource.Nothing, ShiftSource.Left),
        (false, ShiftSource.Above, ShiftSource.Nothing), (false, ShiftSource.Nothing, ShiftSource.Nothing),
    ];

    /// <summary>The kind of each position of the sequence.</summary>
    public static long[] Kinds(DalleConfiguration sizes) =>
    [
        .. Enumerable.Range(0, sizes.TextPositions).Select(place => KindOf(true, false, place > 0)),
        .. Enumerable.Range(0, sizes.ImageLength).Select(code => KindOf(false, code >= sizes.Side, code % sizes.Side > 0)),
    ];

    /// <summary>For each kind the sources of all channels, as numbers of <see cref="ShiftSource"/>.</summary>
    public static long[] Sources(DalleConfiguration sizes)
    {
        var (text, above, left) = TokenShift.WidthsOf(sizes.Width);
        return
        [
            .. s_kinds.SelectMany(kind => Enumerable.Range(0, sizes.Width).Select(channel => (long)(
                kind.IsText ? channel < text ? kind.Left : ShiftSource.Itself
                : channel < above ? kind.Above : channel < above + left ? kind.Left : ShiftSource.Itself))),
        ];
    }

    private static long KindOf(bool isText, bool hasAbove, bool hasLeft) => Array.IndexOf(s_kinds, (
        isText, hasAbove ? ShiftSource.Above : ShiftSource.Nothing, hasLeft ? ShiftSource.Left : ShiftSource.Nothing));
}
