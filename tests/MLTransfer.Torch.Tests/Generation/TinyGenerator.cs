using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Generation;

/// <summary>The tiny GPT-2 of the reference data (context 64, vocabulary 700), which tests only read.</summary>
public sealed class TinyGenerator : IDisposable
{
    public static string Folder => RepositoryFiles.Data("gpt2-tiny");

    public CausalLanguageModel Model { get; } = CausalLanguageModel.Load(Folder);

    public TextTokenizer Tokenizer { get; } = TextTokenizer.Load(Folder);

    public TokenGenerator TokenGenerator => field ??= new(Model);

    public TextGenerator TextGenerator => field ??= new(Model, Tokenizer);

    /// <summary>Prompts of the reference data, cut to different lengths.</summary>
    public static int[][] Prompts { get; } =
    [
        [33, 83, 496, 301, 382, 73, 80, 553, 317, 275, 441, 68],
        [47, 78, 374],
        [33, 83, 548, 307, 575, 317, 269, 420, 363, 73, 270, 332],
        [313],
        [221, 19, 12, 221, 17, 24, 22, 22, 47, 78, 374, 313, 221, 19, 12, 221, 17, 24],
    ];

    public static JsonObject Reference { get; } =
        JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "generation.json")))!.AsObject();

    public static int[] Ids(JsonNode? node) => [.. node!.AsArray().Select(id => id!.GetValue<int>())];

    /// <summary>The logits after tokens, from a pass without a cache.</summary>
    public float[] Logits(IReadOnlyList<int> tokens)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Model.eval();
        var input = tensor(tokens.Select(id => (long)id).ToArray()).unsqueeze(0);
        return NativeTensor.AsSpan<float>(Model.Forward(new ModelInput(input))[0, tokens.Count - 1].contiguous()).ToArray();
    }

    /// <summary>The natural logarithms of the probabilities after tokens.</summary>
    public double[] LogProbabilities(IReadOnlyList<int> tokens)
    {
        var logits = Logits(tokens);
        var maximum = logits.Max();
        var normalizer = maximum + Math.Log(logits.Sum(logit => Math.Exp(logit - maximum)));
        return [.. logits.Select(logit => logit - normalizer)];
    }

    public IReadOnlyList<IReadOnlyList<GeneratedTokens>> Generate(int[][] prompts, GenerationOptions options) =>
        TokenGenerator.Generate(prompts, options, TestContext.Current.CancellationToken);

    public GeneratedTokens Single(int[] prompt, GenerationOptions options) => Generate([prompt], options)[0][0];

    public IReadOnlyList<GeneratedText> Texts(string prompt, GenerationOptions options) =>
        TextGenerator.Generate([prompt], options, TestContext.Current.CancellationToken)[0];

    public void Dispose() => Model.Dispose();
}
