using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Reads and writes <c>config.json</c>.</summary>
internal static class ModelConfigurationFile
{
    public const string FileName = "config.json";
    private const long MaximumBytes = 10 << 20;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static JsonObject Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new FileNotFoundException($"{folder} has no {FileName}. Give a folder in Hugging Face layout.", path);
        if (file.Length > MaximumBytes)
            throw new InvalidDataException($"{path} has {file.Length} bytes; a configuration has at most {MaximumBytes}.");
        return Parse(File.ReadAllBytes(path), path);
    }

    public static JsonObject Parse(ReadOnlySpan<byte> json, string origin)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject
                ?? throw new InvalidDataException($"{origin} is not a JSON object.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{origin} is not valid JSON: {exception.Message}", exception);
        }
    }

    /// <summary>The file's content, with <c>dtype</c> set to the type that the weights are stored in.</summary>
    public static string Format(JsonObject configuration, ScalarType dataType)
    {
        var copy = (JsonObject)configuration.DeepClone();
        copy.Remove("torch_dtype");
        copy["dtype"] = dataType.ToString().ToLowerInvariant();
        return copy.ToJsonString(Indented) + "\n";
    }

    public static void Write(string folder, JsonObject configuration, ScalarType dataType) =>
        AtomicFile.WriteAllText(Path.Combine(folder, FileName), Format(configuration, dataType));
}
