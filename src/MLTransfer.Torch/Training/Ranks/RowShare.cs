namespace MLTransfer.Torch.Training.Ranks;

/// <summary>How ranks divide rows among them.</summary>
internal static class RowShare
{
    /// <summary>A rank's rows: neighbours, of which each rank has as many as the others or one more.</summary>
    /// <param name="rows">Of all ranks.</param>
    /// <param name="rank">From 0.</param>
    /// <param name="size">How many ranks there are.</param>
    public static T[] Of<T>(IReadOnlyList<T> rows, int rank, int size)
    {
        var (start, end) = (Start(rank), Start(rank + 1));
        return [.. rows.Skip(start).Take(end - start)];

        int Start(int of) => (int)((long)rows.Count * of / size);
    }
}
