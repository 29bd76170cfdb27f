using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Some rows that kernels compute together, as many as the registers have room for.</summary>
internal static class RowTiles
{
    /// <summary>The rows of the next tile, which may be more than remain: the others are zeros.</summary>
    public static int Height<TLanes, TVector>(int remainingRows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        remainingRows > 4 && TLanes.Count >= 16 ? 8 : 4;

    /// <summary>The rows that <see cref="RowDots{TLanes, TVector, TWeight}"/> takes in place of so many: one and two need no
    /// others.</summary>
    public static int PaddedForDots<TLanes, TVector>(int rows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        rows <= 2 ? rows : Padded<TLanes, TVector>(rows);

    /// <summary>The rows of all tiles; one row needs none.</summary>
    public static int Padded<TLanes, TVector>(int rows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var padded = rows == 1 ? 1 : 0;
        while (padded < rows)
            padded += Height<TLanes, TVector>(rows - padded);
        return padded;
    }
}
