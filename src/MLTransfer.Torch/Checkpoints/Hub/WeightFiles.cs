using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>Which files hold a model's weights, by the names that Python's <c>transformers</c> gives them.</summary>
internal static class WeightFiles
{
    /// <summary>The forms that weights come in, best first.</summary>
    public static IReadOnlyList<string> Forms { get; } =
        [CheckpointFiles.Safetensors, CheckpointFiles.SafetensorsIndex, CheckpointFiles.Pickle, CheckpointFiles.PickleIndex];

    public static bool IsIndex(string form) => form.EndsWith(".index.json", StringComparison.Ordinal);

    /// <summary>
    /// Paths of the files with the weights in a model folder, in name order; null where they are missing or not complete.
    /// </summary>
    /// <exception cref="InvalidDataException">The index of sharded weights is malformed.</exception>
    public static IReadOnlyList<string>? FindComplete(string folder)
    {
        foreach (string form in Forms)
        {
            string path = Path.Combine(folder, form);
            if (!FileOnDisk.Exists(path))
                continue;
            if (!IsIndex(form))
                return [path];
            string[] shards = [.. ReadIndex(path).Select(shard => Path.Combine(folder, shard))];
            if (shards.All(FileOnDisk.Exists))
                return shards;
        }

        return null;
    }

    /// <summary>Names of the shards that an index lists, in name order, each a plain file name.</summary>
    /// <exception cref="InvalidDataException">The index is malformed or names a file outside its own folder.</exception>
    public static IReadOnlyList<string> ReadIndex(string path) =>
        [.. ShardIndex.Read(path).Select(weight => weight.File).Distinct().Order(StringComparer.Ordinal)];
}
