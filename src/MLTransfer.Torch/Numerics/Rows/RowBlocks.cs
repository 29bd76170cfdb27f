using System.Runtime.CompilerServices;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Work on many rows, shared among threads in blocks that do not depend on how many threads there are.</summary>
internal static unsafe class RowBlocks
{
    /// <summary>How many blocks rows divide into.</summary>
    public static int Count(int rows, int rowsOfBlock) => (rows + rowsOfBlock - 1) / rowsOfBlock;

    /// <summary>Rows of about 64 KiB, which stay in the processor's cache from one pass over them to the next.</summary>
    public static int RowsFor(int width) => Math.Max(1, (1 << 14) / width);

    /// <summary>Calls <paramref name="body"/> with the number, the first row and the end of each block.</summary>
    /// <param name="rows">The number of rows.</param>
    /// <param name="rowsOfBlock">Rows of a block; the last one may have fewer.</param>
    /// <param name="threads">The most threads that are used.</param>
    /// <param name="body">May not throw.</param>
    public static void Run(int rows, int rowsOfBlock, int threads, Action<int, int, int> body)
    {
        var work = new Work(rows, rowsOfBlock, body);
        WorkerTeam.Run(Count(rows, rowsOfBlock), threads, &RunBlock, Unsafe.AsPointer(ref work));
    }

    private static void RunBlock(void* pointer, int block)
    {
        var work = Unsafe.AsRef<Work>(pointer);
        var start = block * work.RowsOfBlock;
        work.Body(block, start, Math.Min(work.Rows, start + work.RowsOfBlock));
    }

    private sealed record Work(int Rows, int RowsOfBlock, Action<int, int, int> Body);
}
