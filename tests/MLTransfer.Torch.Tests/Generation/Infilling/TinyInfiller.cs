using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation.Infilling;

/// <summary>A tiny masked model of the reference data with its tokenizer.</summary>
internal sealed class TinyInfiller : IDisposable
{
    public TinyInfiller(string folder)
    {
        var path = FamilyFolders.PathOf(folder);
        Model = (MaskedLanguageModel)TransformerNetwork.Load(path);
        Tokenizer = TextTokenizer.Load(path);
        Infiller = new TextInfiller(Model, Tokenizer);
        Reference = JsonNode.Parse(File.ReadAllText(Path.Combine(path, "infilling.json")))!;
    }

    public static TheoryData<string> Folders => ["bert-tiny", "distilbert-tiny", "roberta-tiny"];

    public MaskedLanguageModel Model { get; }

    public TextTokenizer Tokenizer { get; }

    public TextInfiller Infiller { get; }

    /// <summary>What the reference stack fills in and how it scores texts.</summary>
    public JsonNode Reference { get; }

    public IReadOnlyList<JsonNode> Cases => [.. Reference["cases"]!.AsArray().Select(test => test!)];

    public IReadOnlyList<string> Texts => [.. Cases.Select(test => test["text"]!.GetValue<string>())];

    public void Dispose() => Model.Dispose();
}
