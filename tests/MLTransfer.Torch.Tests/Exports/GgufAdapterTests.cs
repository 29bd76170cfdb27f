using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Exports;

/// <summary>Adapters in a file of their own give in llama.cpp what the engine computes with them.</summary>
public sealed class GgufAdapterTests : IDisposable
{
    private const int Count = 6;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Adapters_apart_and_merged_continue_in_llama_cpp_as_in_the_engine()
    {
        string[] names = ["llama-tiny", "gpt2-tiny", "gpt-neox-tiny", "phi3-tiny", "t5-tiny"];
        var (jobs, engine) = (new List<LlamaProgram.Job>(), new List<GreedyModel>());
        foreach (var name in names)
        {
            using var model = Adapted(name);
            var tokenizer = GgufBaseTests.TokenizerOf(model);
            var files = GgufExporter.Export(
                model, tokenizer, _folder[name + "-apart.gguf"], new GgufExportOptions { Adapter = GgufAdapter.Apart, Name = "tiny" },
                cancellationToken: TestContext.Current.CancellationToken);
            GgufExporter.Export(model, tokenizer, _folder[name + "-merged.gguf"], new GgufExportOptions { Name = "tiny" },
                cancellationToken: TestContext.Current.CancellationToken);
            GgufExporter.Export(model, tokenizer, _folder[name + "-only.gguf"], new GgufExportOptions { Adapter = GgufAdapter.Only },
                cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(File.ReadAllBytes(files[1].Path).Length, files[1].ByteCount);
            var greedy = GreedyModel.Of(model, Count, name == "phi3-tiny" ? 17 : 3); // longer than what Phi-3 was pretrained on
            engine.Add(greedy);
            int[][] prompts = [.. greedy.Prompts.Select(prompt => prompt.Ids)];
            jobs.Add(new(files[0].Path, prompts, Count, Adapter: files[1].Path));
            jobs.Add(new(files[0].Path, prompts, Count, Adapter: _folder[name + "-only.gguf"]));
            jobs.Add(new(_folder[name + "-merged.gguf"], prompts, Count));
            jobs.Add(new(files[0].Path, prompts, Count));
        }

        var answers = LlamaProgram.Run(jobs);
        Assert.All(answers, answer => Assert.True(answer.Error is null, answer.Error));
        foreach (var (index, name) in names.Index())
        {
            var expected = engine[index].Prompts.Select(prompt => prompt.Tokens);
            Assert.Equal(expected, answers[4 * index].Continuations);
            Assert.Equal(expected, answers[4 * index + 1].Continuations);
            Assert.Equal(expected, answers[4 * index + 2].Continuations);
            Assert.False(
                expected.First().SequenceEqual(answers[4 * index + 3].Continuations[0]), $"The adapters of {name} change nothing.");
        }
    }

    [Fact]
    public void What_adapters_of_llama_cpp_have_no_place_for_is_refused_by_name()
    {
        using var model = FamilyFolders.Load("llama-tiny");
        var tokenizer = GgufBaseTests.TokenizerOf(model);
        Refused<ArgumentException>(GgufAdapter.Apart, "no LoRA adapters");
        PeftAdapterFolder.Load(model, RepositoryFiles.Data("families/llama-tiny/dora_end"));
        Refused<NotSupportedException>(GgufAdapter.Apart, "DoRA");
        using var whole = FamilyFolders.Load("llama-tiny");
        PeftAdapterFolder.Load(whole, RepositoryFiles.Data("families/llama-tiny/lora_pattern_end"));
        Assert.Contains("whole layers", Assert.Throws<NotSupportedException>(() => GgufExporter.Export(
            whole, tokenizer, _folder["refused.gguf"], new GgufExportOptions { Adapter = GgufAdapter.Only },
            cancellationToken: TestContext.Current.CancellationToken)).Message,
                StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));

        void Refused<T>(GgufAdapter adapter, string reason)
            where T : Exception => Assert.Contains(reason, Assert.Throws<T>(() => GgufExporter.Export(
                model, tokenizer, _folder["refused.gguf"], new GgufExportOptions { Adapter = adapter })).Message, StringComparison.Ordinal);
    }

    /// <summary>A network with adapters of several ranks and factors that change what it writes.</summary>
    private static TransformerNetwork Adapted(string name)
    {
        var model = FamilyFolders.Load(name);
        LowRankAdaptation.Attach(model, new LoraOptions
        {
            Rank = 4, Alpha = 12, RankStabilized = true, TargetModules = ["all-linear"], RankPattern = new Dictionary<string,
                int> { ["1.*"] = 2 },
        }, seed: 3);
        using var gradients = no_grad();
        using var generator = new Generator(7);
        foreach (var (_, parameter) in model.TrainableParameters())
            parameter.normal_(0, 0.2, generator);
        return model;
    }
}
