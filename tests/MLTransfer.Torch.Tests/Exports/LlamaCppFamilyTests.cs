using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Exports;

/// <summary>Every family that llama.cpp knows is continued there as by the engine, with float32 weights and cache.</summary>
public sealed class LlamaCppFamilyTests(LlamaCppFamilyTests.Continuations continuations) : IClassFixture<LlamaCppFamilyTests.Continuations>
{
    private const int Count = 8;

    /// <summary>Names of checkpoints, and how far logits may differ: llama.cpp looks GELU up in a table of half-precision
    /// numbers.</summary>
    private static readonly (string Name, double Tolerance)[] s_checkpoints =
    [
        ("gpt2-tiny", 2e-2), ("llama-tiny", 1e-3), ("llama-tiny-linear", 1e-3), ("llama-tiny-llama3", 1e-3), ("llama-tiny-yarn", 1e-3),
        ("llama-tiny-rope-parameters", 1e-3), ("mistral-tiny", 1e-3), ("qwen2-tiny", 1e-3), ("qwen3-tiny", 1e-3), ("gemma2-tiny", 2e-2),
        ("gemma3-tiny", 2e-2), ("gemma3-tiny-rope-parameters", 2e-2), ("phi3-tiny", 1e-3), ("gpt-neox-tiny", 2e-2), ("t5-tiny", 1e-3),
        ("t5-v1_1-tiny", 2e-2),
    ];

    public static TheoryData<string> Names => new(s_checkpoints.Select(checkpoint => checkpoint.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Greedy_tokens_and_logits_equal_the_engines(string name)
    {
        var (engine, llama) = continuations.Of(name);
        Assert.True(llama.Error is null, llama.Error);
        Assert.Equal(engine.Prompts.Select(prompt => prompt.Tokens), llama.Continuations);
        var tolerance = s_checkpoints.Single(checkpoint => checkpoint.Name == name).Tolerance;
        foreach (var (prompt, logits) in engine.Prompts.Zip(llama.Logits))
            Assert.InRange(prompt.Logits.Zip(logits, (a, b) => Math.Abs(a - b)).Max(), 0, tolerance);
    }

    /// <summary>All checkpoints are written, and one process continues with all of them.</summary>
    public sealed class Continuations : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly Lazy<Dictionary<string, (GreedyModel, LlamaProgram.Answer)>> _all;

        public Continuations() => _all = new(() =>
        {
            var models = s_checkpoints.Select(checkpoint => Export(checkpoint.Name)).ToList();
            var answers = LlamaProgram.Run(s_checkpoints.Zip(models, (checkpoint, model) =>
                new LlamaProgram.Job(_folder[checkpoint.Name + ".gguf"], [.. model.Prompts.Select(prompt => prompt.Ids)], Count)));
            return s_checkpoints.Zip(models, answers).ToDictionary(one => one.First.Name, one => (one.Second, one.Third));
        });

        public void Dispose() => _folder.Dispose();

        internal (GreedyModel Engine, LlamaProgram.Answer Llama) Of(string name) => _all.Value[name];

        private GreedyModel Export(string name)
        {
            using var model = FamilyFolders.Load(name);
            var tokenizer = model.VocabularySize >= 700 ? TextTokenizer.Load(FamilyFolders.PathOf("gpt2-tiny"))
                : TextTokenizer.Train(["any text"], new TokenizerTrainingOptions { VocabularySize = 280 });

            // llama.cpp gives tokens of vocabularies of models whose name has "phi3" in it other properties.
            GgufExporter.Export(model, tokenizer, _folder[name + ".gguf"], new GgufExportOptions { Name = "tiny" });
            return GreedyModel.Of(model, Count, name switch
            {
                "mistral-tiny" => [1, 2], // its window is of 9 positions
                "phi3-tiny" => [17, 20],  // llama.cpp turns as for long texts where its cache is long, and it has 256 positions at least
                _ => [1, 3, 7],
            });
        }
    }
}
