using System.Text.Json;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>Which files hold a model's weights, by the names that Python's <c>transformers</c> gives them.</summary>
internal static class WeightFiles
{
    /// <summary>Largest index that is read: one of a million tensors is smaller.</summary>
    public const long LargestIndex = 128L << 20;

    /// <summary>The forms that weights come in, best first.</summary>
    public static IReadOnlyList<string> Forms { get; } =
        ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

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
    public static IReadOnlyList<string> ReadIndex(string path)
    {
        using FileStream stream = File.OpenRead(path);
        if (stream.Length > LargestIndex)
            throw new InvalidDataException($"The index '{path}' has {stream.Length} bytes. Expected at most {LargestIndex}.");
        SortedSet<string> shards = new(StringComparer.Ordinal);
        try
        {
            using JsonDocument index = JsonDocument.Parse(stream);
            if (index.RootElement.ValueKind != JsonValueKind.Object
                || !index.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"The index '{path}' has no 'weight_map' object that gives each tensor's file.");
            foreach (JsonProperty tensor in map.EnumerateObject())
            {
                string? shard = tensor.Value.ValueKind == JsonValueKind.String ? tensor.Value.GetString() : null;
                if (shard is null || !HubNames.IsPlainFileName(shard))
                    throw new InvalidDataException(
                        $"The index '{path}' gives {Excerpt(tensor.Value.GetRawText())} as the file of tensor '{Excerpt(tensor.Name)}'. "
                        + "Expected the plain name of a file beside the index.");
                shards.Add(shard);
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The index '{path}' is not valid JSON: {e.Message}", e);
        }

        return shards.Count > 0
            ? [.. shards]
            : throw new InvalidDataException($"The index '{path}' lists no tensor. Expected the file of each tensor in 'weight_map'.");
    }

    private static string Excerpt(string text) => text.Length <= 100 ? text : text[..100] + "...";
}
