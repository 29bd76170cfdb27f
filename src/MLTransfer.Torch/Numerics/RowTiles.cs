using System.Runtime.Intrinsics;

namespace MLTransfer.Torch.Numerics;

/// <summary>Some rows that kernels compute together, as many as the registers have room for.</summary>
internal static unsafe class RowTiles
{
    /// <summary>The rows of the next tile, which may be more than remain: the others are zeros.</summary>
    public static int Height<TLanes, TVector>(int remainingRows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        remainingRows > 4 && TLanes.Count >= 16 ? 8 : 4;

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

    /// <summary>Copies rows into tiles: [tiles, inputs, rows of the tile].</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="rows">The rows that are there.</param>
    /// <param name="inputs">The length of a row.</param>
    /// <param name="tiles">As many numbers as <see cref="Padded"/> rows have.</param>
    public static void Interleave<TLanes, TVector>(float* x, int rows, int inputs, float* tiles)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (int row = 0, height; row < rows; row += height)
        {
            height = Height<TLanes, TVector>(rows - row);
            for (var first = row; first < row + height; first += 4)
                InterleaveFour(x + (nint)first * inputs, Math.Clamp(rows - first, 0, 4), inputs, tiles + first - row, height);
            tiles += height * inputs;
        }
    }

    private static void InterleaveFour(float* x, int rows, int inputs, float* tile, int height)
    {
        float* second = x + inputs, third = second + inputs, fourth = third + inputs;
        for (var i = 0; i < inputs; i++)
        {
            var column = rows == 4
                ? Vector128.Create(x[i], second[i], third[i], fourth[i])
                : Vector128.Create(rows > 0 ? x[i] : 0, rows > 1 ? second[i] : 0, rows > 2 ? third[i] : 0, 0);
            column.Store(tile + (nint)i * height);
        }
    }
}
