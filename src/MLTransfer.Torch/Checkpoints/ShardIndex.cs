using System.Text.Json;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Reads the index of sharded weights: <c>{"metadata": {...}, "weight_map": {"tensor": "file", ...}}</c>, as transformers writes it.
/// </summary>
internal static class ShardIndex
{
    /// <summary>The longest index that is read, in bytes: one of a million tensors is shorter.</summary>
    public const long MaximumLength = 100_000_000;

    /// <summary>Every tensor with the plain name of its file, in the order of the index.</summary>
    /// <exception cref="InvalidDataException">The index is malformed, or names a file outside its own folder.</exception>
    public static IReadOnlyList<(string Tensor, string File)> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (stream.Length > MaximumLength) throw Invalid(path, $"it is {stream.Length} bytes long; at most {MaximumLength} are read");
        var weights = new List<(string, string)>();
        try
        {
            using JsonDocument index = JsonDocument.Parse(stream, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (index.RootElement.ValueKind != JsonValueKind.Object || !index.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object)
                throw Invalid(path, "it has no object 'weight_map'");
            foreach (JsonProperty weight in map.EnumerateObject())
            {
                string? file = weight.Value.ValueKind == JsonValueKind.String ? weight.Value.GetString() : null;
                if (!IsPlainFileName(file))
                    throw Invalid(path, $"tensor '{weight.Name}' is in '{file}'; expected the name of a file in the same folder");
                weights.Add((weight.Name, file!));
            }
        }
        // The parser's own exceptions: invalid JSON, and strings that are not valid UTF-8 or UTF-16.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{path}' is not a valid index of shards: {exception.Message}", exception);
        }
        return weights.Count > 0 ? weights : throw Invalid(path, "it lists no tensor");
    }

    /// <summary>Whether a name stays inside the folder on every system: no separators, drives, streams or dots alone.</summary>
    private static bool IsPlainFileName(string? name) => !string.IsNullOrWhiteSpace(name) && name is not ("." or "..")
        && name.IndexOfAny(['/', '\\', ':']) < 0 && !name.Any(char.IsControl);

    private static InvalidDataException Invalid(string path, string problem) => new($"'{path}' is not a valid index of shards: {problem}.");
}
