using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.BitsAndBytes;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Networks.Transformers.Gguf;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>What a transformer is loaded from: a folder in Hugging Face layout, or a GGUF file.</summary>
internal static class TransformerFiles
{
    /// <summary>The content of <c>config.json</c>, or what a GGUF file tells of it.</summary>
    public static JsonObject ReadConfiguration(string path) =>
        GgufFile.Is(path) ? GgufModelFile.ReadConfiguration(path) : ReadFolder(path).Configuration;

    /// <summary>Configuration and weights, which the caller disposes.</summary>
    public static (JsonObject Configuration, Checkpoint Weights) Open(string path)
    {
        if (GgufFile.Is(path))
            return GgufModelFile.Open(path);
        var (configuration, isPacked) = ReadFolder(path);
        var weights = Checkpoint.Open(path);
        return (configuration, isPacked ? BitsAndBytesCheckpoint.Over(weights) : weights);
    }

    /// <summary>The configuration of the network, and whether bitsandbytes has packed its matrices.</summary>
    private static (JsonObject Configuration, bool IsPacked) ReadFolder(string path)
    {
        var configuration = ModelConfigurationFile.Read(path);
        return (configuration, BitsAndBytesCheckpoint.TakeEntry(configuration, path));
    }
}
