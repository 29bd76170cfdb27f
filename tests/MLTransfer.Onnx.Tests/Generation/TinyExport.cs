using System.Text.Json.Nodes;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Onnx.Tests.Generation;

/// <summary>The tiny GPT-2 of the reference data (context 64, vocabulary 700) in the engine, and its export in ONNX Runtime.</summary>
public sealed class TinyExport : IDisposable
{
    private readonly CausalLanguageModel _model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
    private readonly TemporaryFolder _folder = new();

    public TinyExport()
    {
        Folder = _folder["export"];
        Tokenizer = TextTokenizer.Load(RepositoryFiles.Data("gpt2-tiny"));
        OnnxExporter.Export(_model, Tokenizer, Folder, new OnnxExportOptions { Check = false });
        Engine = new TextGenerator(_model, Tokenizer);
        EngineTokens = new TokenGenerator(_model);
        Onnx = OnnxTextGenerator.Load(Folder, new OnnxRuntimeOptions { ThreadCount = 1 });
    }

    public static JsonObject Reference { get; } =
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("gpt2-tiny/generation.json")))!.AsObject();

    /// <summary>Prompts of different lengths.</summary>
    public static int[][] Prompts { get; } =
    [
        [33, 83, 496, 301, 382, 73, 80, 553, 317, 275, 441, 68],
        [47, 78, 374],
        [33, 83, 548, 307, 575, 317, 269, 420, 363, 73, 270, 332],
        [313],
        [221, 19, 12, 221, 17, 24, 22, 22, 47, 78, 374, 313, 221, 19, 12, 221, 17, 24],
    ];

    /// <summary>The export.</summary>
    public string Folder { get; }

    public TextTokenizer Tokenizer { get; }

    public TextGenerator Engine { get; }

    public TokenGenerator EngineTokens { get; }

    public OnnxTextGenerator Onnx { get; }

    public CausalLanguageModel Model => _model;

    public static int[] Ids(JsonNode? node) => [.. node!.AsArray().Select(id => id!.GetValue<int>())];

    /// <summary>Copies the export, to be spoilt.</summary>
    public void CopyTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(Folder))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    public void Dispose()
    {
        Onnx.Dispose();
        _model.Dispose();
        _folder.Dispose();
    }
}
