namespace MLTransfer.Torch.Collectives;

/// <summary>Bytes of which each rank has another number.</summary>
internal static class CollectiveBytes
{
    /// <summary>What each rank has, in the order of ranks.</summary>
    public static byte[][] GatherAll(this ICollective ranks, byte[] own)
    {
        var lengths = new byte[ranks.Size * sizeof(int)];
        ranks.AllGather(BitConverter.GetBytes(own.Length), lengths);
        var parts = new byte[ranks.Size][];
        for (var rank = 0; rank < parts.Length; rank++)
        {
            parts[rank] = rank == ranks.Rank ? own : new byte[BitConverter.ToInt32(lengths, rank * sizeof(int))];
            ranks.Broadcast(parts[rank], rank);
        }

        return parts;
    }
}
