namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Rows that lie interleaved, value by value, so that a kernel that computes them together reads neighbours.</summary>
internal static class InterleavedRows
{
    /// <summary>How many of the rows from some row on lie interleaved: 8, 4, 2 or 1, and no more than the widest group.</summary>
    public static int Height(int remainingRows, int widest = 8) =>
        Math.Min(widest, remainingRows switch { >= 8 => 8, >= 4 => 4, >= 2 => 2, _ => 1 });

    /// <summary>The first of the rows that a row lies interleaved with, and how many they are.</summary>
    public static (int First, int Height) Tile(int row, int rows, int widest = 8)
    {
        var first = 0;
        var height = Height(rows, widest);
        for (; row >= first + height; height = Height(rows - first, widest))
            first += height;
        return (first, height);
    }
}
