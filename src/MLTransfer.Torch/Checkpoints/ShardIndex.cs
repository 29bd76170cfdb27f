using System.Text.Json;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Reads the index of sharded weights: <c>{"metadata": {...}, "weight_map": {"tensor": "file", ...}}</c>, as transformers writes it.
/// </summary>
internal static class ShardIndex
{
    /// <summary>Every tensor with the plain name of its file, in the order of the index.</summary>
    /// <exception cref="InvalidDataException">The index is malformed, or names a file outside its own folder.</exception>
    public static IReadOnlyList<(string Tensor, string File)> Read(string path)
    {
        JsonElement index = JsonContent.Parse(FileKind.ShardIndex.Read(path), $"'{path}'");
        if (index.ValueKind != JsonValueKind.Object || !index.TryGetProperty("weight_map", out JsonElement map)
            || map.ValueKind != JsonValueKind.Object)
            throw Invalid(path, "it has no object 'weight_map'");
        var weights = new List<(string, string)>();
        foreach (JsonProperty weight in map.EnumerateObject())
        {
            string? file = weight.Value.ValueKind == JsonValueKind.String ? weight.Value.GetString() : null;
            if (!PlainName.IsFile(file))
                throw Invalid(path, $"tensor '{weight.Name}' is in '{file}'; expected the name of a file in the same folder");
            if (!PlainName.IsTensor(weight.Name)) throw Invalid(path, "the name of a tensor has the character NUL in it");
            weights.Add((weight.Name, file!));
        }
        return weights.Count > 0 ? weights : throw Invalid(path, "it lists no tensor");
    }

    private static InvalidDataException Invalid(string path, string problem) => new($"'{path}' is not a valid index of shards: {problem}.");
}
