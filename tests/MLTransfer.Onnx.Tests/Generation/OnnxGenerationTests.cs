using System.Text.Json.Nodes;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Onnx.Tests.Generation;

public class OnnxGenerationTests(TinyExport tiny) : IClassFixture<TinyExport>
{
    public static TheoryData<int, string> Cases =>
        [.. TinyExport.Reference["cases"]!.AsArray().Select((test, index) => (index, test!["name"]!.GetValue<string>()))];

    /// <summary>Long enough that rows pass the context of 64 tokens at different times, and end at different times.</summary>
    public static TheoryData<string, GenerationOptions> Options => new()
    {
        { "greedy", new() { MaximumNewTokens = 150 } },
        { "greedy with ends", new() { MaximumNewTokens = 40, EndOfSequenceIds = [190, 137, 591, 495] } },
        { "sampling", new() { MaximumNewTokens = 150, Sample = true, Seed = 3, TopP = 0.9 } },
        { "sampling with ends",
            new() { MaximumNewTokens = 100, Sample = true, Seed = 3, SequencesPerPrompt = 3,
            EndOfSequenceIds = [.. Enumerable.Range(100, 40)] } },
        { "beams", new() { MaximumNewTokens = 80, BeamCount = 3, SequencesPerPrompt = 2 } },
        { "beams with ends", new() { MaximumNewTokens = 40, BeamCount = 3, EndOfSequenceIds = [137, 495, 558] } },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokens_and_text_equal_the_reference(int index, string name)
    {
        var test = TinyExport.Reference["cases"]![index]!;
        var prompt = TinyExport.Ids(test["prompt_ids"]);
        var options = ToOptions(test);
        var tokens = tiny.Onnx.TokenGenerator.Generate([prompt], options)[0][0];
        Assert.Equal(TinyExport.Ids(test["output_ids"]), prompt.Concat(tokens.TokenIds));

        var text = tiny.Onnx.Generate([tiny.Tokenizer.Decode(prompt)], options)[0][0];
        Assert.Equal(tokens.TokenIds, text.TokenIds);
        Assert.Equal(tiny.Tokenizer.Decode([.. tokens.TokenIds], skipSpecialTokens: true), text.Text);
        Assert.True(text.SequenceScore.HasValue == name.StartsWith("beam", StringComparison.Ordinal));
    }

    [Fact]
    public void All_prompts_of_an_option_set_read_together_equal_the_reference()
    {
        foreach (var tests in TinyExport.Reference["cases"]!.AsArray().GroupBy(test => test!["name"]!.GetValue<string>()))
        {
            var generated = tiny.Onnx.TokenGenerator.Generate(
                [.. tests.Select(test => TinyExport.Ids(test!["prompt_ids"]))], ToOptions(tests.First()!));
            Assert.All(tests.Zip(generated), pair => Assert.Equal(
                TinyExport.Ids(pair.First!["output_ids"]), TinyExport.Ids(pair.First["prompt_ids"]).Concat(pair.Second[0].TokenIds)));
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Prompts_of_different_lengths_past_the_context_give_the_engines_tokens(string name, GenerationOptions options)
    {
        foreach (var batchSize in (int[])[1, 2, 5])
            AssertSame(name, Engine(options with { BatchSize = batchSize }), Onnx(options with { BatchSize = batchSize }));
    }

    [Theory]
    [InlineData(63, 5)]
    [InlineData(64, 70)]
    [InlineData(150, 100)]
    public void Prompts_as_long_as_the_context_and_longer_give_the_engines_tokens(int promptLength, int newTokens)
    {
        int[] prompt = [.. Enumerable.Range(0, promptLength).Select(i => i * 37 % 699 + 1)];
        var options = new GenerationOptions { MaximumNewTokens = newTokens, EndOfSequenceIds = [], RepetitionPenalty = 1.1 };
        AssertSame("long", tiny.EngineTokens.Generate([prompt], options), tiny.Onnx.TokenGenerator.Generate([prompt], options));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    public void A_prompt_read_in_parts_gives_the_tokens_of_one_read_at_once(int columns)
    {
        using var decoder = new OnnxDecoder(tiny.Onnx.Files, new OnnxRuntimeOptions { ThreadCount = 1 })
            { MaximumLogits = columns * 700 * TinyExport.Prompts.Length };
        var generator = new TokenGenerator(decoder, null, null);
        var options = new GenerationOptions { MaximumNewTokens = 80 };
        AssertSame("in parts", Onnx(options), generator.Generate(TinyExport.Prompts, options));
    }

    [Fact]
    public void An_export_of_fused_operators_gives_the_engines_tokens()
    {
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(tiny.Model, tiny.Tokenizer, folder["fused"], new OnnxExportOptions { FusedOperators = true, Check = false });
        using var fused = OnnxTextGenerator.Load(folder["fused"], new OnnxRuntimeOptions { ThreadCount = 1 });
        foreach (var options in (GenerationOptions[])[new() { MaximumNewTokens = 100 }, new() { MaximumNewTokens = 30, BeamCount = 3 }])
            AssertSame("fused", Engine(options), fused.TokenGenerator.Generate(TinyExport.Prompts, options));
    }

    [Fact]
    public void An_export_with_its_adapter_apart_gives_the_adapted_models_tokens()
    {
        using var folder = new TemporaryFolder();
        using var adapted = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        PeftAdapterFolder.Load(adapted, RepositoryFiles.Data("gpt2-tiny/lora_end"));
        OnnxExporter.Export(adapted, tiny.Tokenizer, folder["adapted"], new OnnxExportOptions { SeparateAdapter = true, Check = false });
        using var generator = OnnxTextGenerator.Load(folder["adapted"], new OnnxRuntimeOptions { ThreadCount = 1 });
        var options = new GenerationOptions { MaximumNewTokens = 30 };
        AssertSame("adapted", new TokenGenerator(adapted).Generate(TinyExport.Prompts, options),
            generator.TokenGenerator.Generate(TinyExport.Prompts, options));
        Assert.Equal(["model.onnx", "adapter.onnx_data"], generator.Files.Graph.Select(file => file.Name));
    }

    [Fact]
    public void A_float16_export_generates_nearly_the_same_tokens()
    {
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(
            tiny.Model, tiny.Tokenizer, folder["half"], new OnnxExportOptions { Precision = OnnxPrecision.Float16, Check = false });
        using var half = OnnxTextGenerator.Load(folder["half"], new OnnxRuntimeOptions { ThreadCount = 1 });
        var options = new GenerationOptions { MaximumNewTokens = 30, BeamCount = 2 };
        var (expected, actual) = (Onnx(options), half.TokenGenerator.Generate(TinyExport.Prompts, options));
        foreach (var (one, other) in expected.Zip(actual))
            Assert.Equal(one[0].SequenceScore!.Value, other[0].SequenceScore!.Value, 0.01f);
        Assert.Contains(expected.Zip(actual), pair => pair.First[0].TokenIds.SequenceEqual(pair.Second[0].TokenIds));
    }

    [Fact]
    public void An_export_for_transformers_js_generates_with_either_of_its_files()
    {
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(
            tiny.Model, tiny.Tokenizer, folder["export"], new OnnxExportOptions { TransformersJsFiles = true, Check = false });
        File.Delete(folder["export/model.onnx"]);
        var options = new GenerationOptions { MaximumNewTokens = 20 };
        using var whole = OnnxTextGenerator.Load(folder["export"]);
        AssertSame("onnx/model.onnx", Onnx(options), whole.TokenGenerator.Generate(TinyExport.Prompts, options));
        using var quantized = OnnxTextGenerator.Load(folder["export"], new OnnxRuntimeOptions { ModelFile = "onnx/model_quantized.onnx" });
        Assert.All(quantized.TokenGenerator.Generate(TinyExport.Prompts, options), tokens => Assert.NotEmpty(tokens[0].TokenIds));
    }

    [Fact]
    public void Threads_that_share_a_generator_give_what_one_thread_gives()
    {
        var options = new GenerationOptions { Sample = true, Seed = 5, MaximumNewTokens = 30 };
        var expected = TinyExport.Prompts.Select(prompt => tiny.Onnx.TokenGenerator.Generate([prompt], options)[0][0].TokenIds).ToArray();
        Parallel.For(0, 4 * expected.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => Assert.Equal(
            expected[i % expected.Length],
            tiny.Onnx.TokenGenerator.Generate([TinyExport.Prompts[i % expected.Length]], options)[0][0].TokenIds));
    }

    [Fact]
    public async Task Streamed_pieces_joined_are_the_generated_text()
    {
        var options = new GenerationOptions { Sample = true, Seed = 2, MaximumNewTokens = 100, EndOfSequenceIds = [] };
        var whole = tiny.Onnx.Generate("As our equipment", options);
        options = options with { StopStrings = [whole.Substring(whole.Length / 2, 3)] };
        var pieces = new List<string>();
        await foreach (var piece in tiny.Onnx.StreamAsync("As our equipment", options))
            pieces.Add(piece);
        Assert.Equal(tiny.Onnx.Generate("As our equipment", options), string.Concat(pieces));
        Assert.Equal(tiny.Engine.Generate(["As our equipment"], options)[0][0].Text, string.Concat(pieces));
        Assert.True(pieces.Count > 5, "the text does not come in pieces");
    }

    [Fact(Timeout = 60_000)]
    public async Task Cancelling_ends_generation()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var endless = new GenerationOptions { Sample = true, MaximumNewTokens = int.MaxValue, EndOfSequenceIds = [] };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in tiny.Onnx.StreamAsync("As our", endless, cancellation.Token))
                await cancellation.CancelAsync();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => tiny.Onnx.Generate("As our", endless, cancellation.Token));
    }

    [Fact(Timeout = 60_000)]
    public async Task Disposing_waits_for_work_that_is_under_way_and_refuses_what_comes_later()
    {
        var generator = OnnxTextGenerator.Load(tiny.Folder);
        var endless = new GenerationOptions { Sample = true, Seed = 1, MaximumNewTokens = 1000, EndOfSequenceIds = [] };
        var expected = tiny.Onnx.Generate("As our", endless);
        var pieces = new List<string>();
        await foreach (var piece in generator.StreamAsync("As our", endless, TestContext.Current.CancellationToken))
        {
            pieces.Add(piece);
            generator.Dispose();
        }

        Assert.Equal(expected, string.Concat(pieces));
        Assert.Throws<ObjectDisposedException>(() => generator.Generate("As our"));
    }

    private IReadOnlyList<IReadOnlyList<GeneratedTokens>> Engine(GenerationOptions options) =>
        tiny.EngineTokens.Generate(TinyExport.Prompts, options);

    private IReadOnlyList<IReadOnlyList<GeneratedTokens>> Onnx(GenerationOptions options) =>
        tiny.Onnx.TokenGenerator.Generate(TinyExport.Prompts, options);

    private static void AssertSame(
        string name, IReadOnlyList<IReadOnlyList<GeneratedTokens>> expected, IReadOnlyList<IReadOnlyList<GeneratedTokens>> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (one, other) in expected.SelectMany(sequences => sequences).Zip(actual.SelectMany(sequences => sequences)))
        {
            Assert.True(one.TokenIds.SequenceEqual(other.TokenIds),
                $"{name}: [{string.Join(", ", one.TokenIds)}], but [{string.Join(", ", other.TokenIds)}]");
            Assert.Equal(one.FinishReason, other.FinishReason);
            Assert.All(one.LogProbabilities.Zip(other.LogProbabilities), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        }
    }

    private static GenerationOptions ToOptions(JsonNode test)
    {
        var options = test["options"]!;
        return new GenerationOptions
        {
            MaximumNewTokens = test["max_new_tokens"]!.GetValue<int>(),
            MinimumNewTokens = options["min_new_tokens"]?.GetValue<int>() ?? 0,
            RepetitionPenalty = options["repetition_penalty"]?.GetValue<double>() ?? 1,
            NoRepeatNgramSize = options["no_repeat_ngram_size"]?.GetValue<int>() ?? 0,
            BeamCount = options["num_beams"]?.GetValue<int>() ?? 1,
            LengthPenalty = options["length_penalty"]?.GetValue<double>() ?? 1,
            EarlyStopping = options["early_stopping"]?.GetValue<bool>() == true ? EarlyStopping.WhenFinished : EarlyStopping.Heuristic,
        };
    }
}
