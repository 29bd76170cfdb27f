using System.Globalization;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>What names and shapes of a checkpoint's tensors tell of a network.</summary>
internal static class CheckpointShapes
{
    /// <summary>How many numbers, from a first one on, follow a prefix in the names of tensors.</summary>
    public static int Count(Checkpoint checkpoint, string prefix, int first)
    {
        var numbers = checkpoint.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => name[prefix.Length..].Split('.')[0]).ToHashSet();
        var count = 0;
        while (numbers.Contains((first + count).ToString(CultureInfo.InvariantCulture)))
            count++;
        return count;
    }

    /// <summary>An extent of a tensor; null where there is no such tensor.</summary>
    public static long? Extent(Checkpoint checkpoint, string name, int dimension) =>
        checkpoint.Tensors.TryGetValue(name, out var tensor) && dimension < tensor.Shape.Count ? tensor.Shape[dimension] : null;
}
