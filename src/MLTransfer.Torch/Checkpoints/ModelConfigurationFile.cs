using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Reads and writes <c>config.json</c>.</summary>
internal static class ModelConfigurationFile
{
    public const string FileName = "config.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The file's content, with the rules for tokens that a <c>generation_config.json</c> beside it has.</summary>
    public static JsonObject Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!FileOnDisk.Exists(path))
            throw new FileNotFoundException($"{folder} has no {FileName}. Give a folder in Hugging Face layout.", path);
        var configuration = JsonContent.ParseObject(FileKind.Configuration.Read(path), path);
        TokenRuleEntries.Take(folder, configuration);
        return configuration;
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
