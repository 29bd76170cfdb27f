using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.MusicGen;

/// <summary>A tiny MusicGen of the reference data.</summary>
internal sealed class TinyMusic(string name) : IDisposable
{
    public const string Mono = "musicgen-small-tiny";

    public const string Stereo = "musicgen-stereo-tiny";

    public string Folder { get; } = FolderOf(name);

    public MusicGenModel Model => field ??= MusicGenModel.Load(Folder);

    public TextTokenizer Tokenizer => field ??= TextTokenizer.Load(Folder);

    public static string FolderOf(string name) => RepositoryFiles.Data($"music/{name}");

    public JsonNode Json(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, file)))!;

    public SafetensorsFile Tensors(string file) => SafetensorsFile.Open(Path.Combine(Folder, file));

    public static int[] Row(JsonNode? node) => [.. node!.AsArray().Select(id => id!.GetValue<int>())];

    public static int[][] Rows(JsonNode? node) => [.. node!.AsArray().Select(Row)];

    public static double Distance(Tensor a, Tensor b)
    {
        if (!a.shape.SequenceEqual(b.shape))
            return double.PositiveInfinity;
        using var scope = NewDisposeScope();
        return (a - b).abs().max().item<float>();
    }

    public void Dispose() => Model.Dispose();
}
