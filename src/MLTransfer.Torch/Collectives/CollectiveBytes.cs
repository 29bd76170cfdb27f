using System.Text.Json;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Collectives;

/// <summary>Bytes of which each rank has another number, and values as such bytes.</summary>
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

    /// <summary>What each rank has, in the order of ranks.</summary>
    public static IEnumerable<T> GatherAll<T>(this ICollective ranks, T own)
        where T : class => ranks.GatherAll(ToBytes(own)).Select(FromBytes<T>);

    /// <summary>A value that <see cref="FromBytes"/> reads on another rank.</summary>
    public static byte[] ToBytes<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value);

    /// <exception cref="InvalidDataException">It is no such value.</exception>
    public static T FromBytes<T>(byte[] bytes)
        where T : class => JsonContent.Deserialize<T>(bytes, "What a rank tells", JsonSerializerOptions.Default);
}
