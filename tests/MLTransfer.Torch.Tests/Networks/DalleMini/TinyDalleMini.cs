using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.DalleMini;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.DalleMini;

/// <summary>The DALL-E mini of the reference data.</summary>
internal static class TinyDalleMini
{
    public static string Folder { get; } = RepositoryFiles.Data("images/min-dalle-tiny");

    public static DalleMiniModel Load() => DalleMiniModel.Load(Folder);

    public static JsonNode Json(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, file)))!;

    public static SafetensorsFile Tensors(string file) => SafetensorsFile.Open(Path.Combine(Folder, file));

    public static int[] Numbers(JsonNode? node) => [.. node!.AsArray().Select(number => number!.GetValue<int>())];

    /// <summary>A folder with some of the files.</summary>
    public static TemporaryFolder Copy(params string[] files)
    {
        var folder = new TemporaryFolder();
        foreach (var file in files)
            File.Copy(Path.Combine(Folder, file), folder[file]);
        return folder;
    }

    public static double Distance(Tensor a, Tensor b)
    {
        if (!a.shape.SequenceEqual(b.shape))
            return double.PositiveInfinity;
        using var scope = NewDisposeScope();
        return (a - b).abs().max().item<float>();
    }
}
