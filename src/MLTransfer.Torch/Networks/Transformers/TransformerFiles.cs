using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Networks.Transformers.Gguf;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>What a transformer is loaded from: a folder in Hugging Face layout, or a GGUF file.</summary>
internal static class TransformerFiles
{
    /// <summary>The content of <c>config.json</c>, or what a GGUF file tells of it.</summary>
    public static JsonObject ReadConfiguration(string path) =>
        GgufFile.Is(path) ? GgufModelFile.ReadConfiguration(path) : ModelConfigurationFile.Read(path);

    /// <summary>Configuration and weights, which the caller disposes.</summary>
    public static (JsonObject Configuration, Checkpoint Weights) Open(string path) =>
        GgufFile.Is(path) ? GgufModelFile.Open(path) : (ModelConfigurationFile.Read(path), Checkpoint.Open(path));
}
