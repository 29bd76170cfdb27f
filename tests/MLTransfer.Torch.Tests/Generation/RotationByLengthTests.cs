using System.Numerics.Tensors;
using FsCheck.Xunit;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Generation;

/// <summary>Rotations that depend on the length of a text: each row of a batch has its own.</summary>
public sealed class RotationByLengthTests : IDisposable
{
    private const int Switch = 16;   // of both networks
    private const int Context = 64;  // likewise

    private static readonly string[] s_folders = ["llama-tiny-dynamic", "phi3-tiny"];

    /// <summary>Around the length where all rotations change, far below it and beyond it, and near the end of the context.</summary>
    private static readonly int[] s_lengths = [9, 1, 14, 15, 16, 17, 30, 62];

    private readonly Dictionary<string, CausalLanguageModel> _models =
        s_folders.ToDictionary(folder => folder, folder => (CausalLanguageModel)FamilyFolders.Load(folder));

    /// <summary>Enough tokens that rows cross the length, and some the context.</summary>
    public static IEnumerable<TheoryDataRow<string, string, GenerationOptions>> Options =>
        from folder in s_folders
        from option in ((string, GenerationOptions)[])
        [
            ("greedy", new() { MaximumNewTokens = 40 }),
            ("sampling", new() { MaximumNewTokens = 20, Sample = true, Seed = 3, SequencesPerPrompt = 2 }),
            ("beams", new() { MaximumNewTokens = 20, BeamCount = 3, SequencesPerPrompt = 2 }),
            ("beams with ends", new() { MaximumNewTokens = 20, BeamCount = 2, EndOfSequenceIds = [.. Enumerable.Range(0, 60)] }),
        ]
        select new TheoryDataRow<string, string, GenerationOptions>(folder, option.Item1, option.Item2);

    public void Dispose()
    {
        foreach (var model in _models.Values)
            model.Dispose();
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Prompts_read_together_give_what_each_gives_alone(string folder, string name, GenerationOptions options)
    {
        var generator = new TokenGenerator(_models[folder]);
        int[][] prompts = [.. s_lengths.Select((length, i) => Tokens(i + 1, length))];
        if (options.EndOfSequenceIds is null)
            options = options with { EndOfSequenceIds = [] };
        var alone = prompts.Select(prompt => Generate([prompt], 1)[0]).ToList();
        foreach (var batchSize in (int[])[3, prompts.Length])
        {
            foreach (var (expected, actual) in alone.Zip(Generate(prompts, batchSize)))
            {
                Assert.Equal(expected.Select(one => one.TokenIds), actual.Select(one => one.TokenIds));
                Assert.All(expected.Zip(actual), pair => Assert.All(
                    pair.First.LogProbabilities.Zip(pair.Second.LogProbabilities), p => Assert.Equal(p.First, p.Second, 1e-4)));
            }
        }

        if (name.EndsWith("ends", StringComparison.Ordinal))
            Assert.True(alone.Select(sequences => sequences[0].TokenIds.Count).Distinct().Count() > 1, "all end alike");

        IReadOnlyList<IReadOnlyList<GeneratedTokens>> Generate(int[][] texts, int batchSize) =>
            generator.Generate(texts, options with { BatchSize = batchSize }, TestContext.Current.CancellationToken);
    }

    [Property(MaxTest = 6)]
    public void Logits_of_a_row_in_a_batch_are_those_of_the_row_alone(byte first, byte second, byte third, byte steps)
    {
        int[] lengths = [.. ((byte[])[first, second, third]).Select(length => 1 + length % 40)];
        AssertRowsAreAsAlone(lengths, 1 + steps % (Context - lengths.Max()));
    }

    [Fact]
    public void Logits_are_those_of_the_row_alone_while_rows_cross_the_length_one_after_the_other() =>
        AssertRowsAreAsAlone([2, 9, 16, 17, 15], 20);

    [Fact]
    public void A_text_over_the_length_can_not_go_on_in_the_callers_own_cache()
    {
        using var scope = NewDisposeScope();
        var model = _models["phi3-tiny"];
        using var cache = model.CreateCache(1, 20);
        Read(Switch);
        var error = Assert.Throws<NotSupportedException>(() => Read(1));
        Assert.Contains("original_max_position_embeddings, 16 tokens", error.Message, StringComparison.Ordinal);
        cache.Clear();
        Read(Switch + 1);
        Read(1); // beyond it nothing changes

        void Read(int length) => model.ComputeHiddenStates(
            new ModelInput(ones(1, length, ScalarType.Int64)) { PastKeyValues = cache });
    }

    /// <summary>
    /// What a text gives alone: with a dynamic base each step turns its own query and key by the length so far and older keys keep their
    /// rotation; with LongRoPE it is what a pass over the whole text gives.
    /// </summary>
    private void AssertRowsAreAsAlone(int[] lengths, int steps)
    {
        using var gradients = no_grad();
        foreach (var (folder, model) in _models)
        {
            int[][] texts = [.. lengths.Select((length, row) => Tokens(row + 1, length + steps))];
            var sequences = texts.Select((text, row) => new TokenSequence(text[..lengths[row]])).ToArray();
            using var batch = new DecodingBatch(new TorchDecoder(model), sequences, copies: 1, steps + 1);
            var alone = texts.Select((text, row) => folder == "phi3-tiny" ? Whole(model, text) : Stepwise(model, text, lengths[row]))
                .ToList();
            for (var step = 0; step <= steps; step++)
            {
                for (var row = 0; row < lengths.Length; row++)
                {
                    var expected = alone[row](lengths[row] + step);
                    var logits = batch.Logits(row);
                    var difference = TensorPrimitives.Distance<float>(expected, logits) / TensorPrimitives.Norm<float>(expected);
                    Assert.True(difference < 1e-5, $"{folder}, row {row} of {lengths[row]} tokens, step {step}: {difference}");
                }

                if (step == steps)
                    break;
                for (var row = 0; row < lengths.Length; row++)
                    sequences[row].Append(texts[row][lengths[row] + step], 0);
                batch.Advance(sequences);
            }
        }
    }

    /// <summary>The logits after so many tokens of a text, from one pass over them.</summary>
    private static Func<int, float[]> Whole(CausalLanguageModel model, int[] text) => length => Last(model, text[..length], cache: null);

    /// <summary>The same, from a pass over the prompt and one pass a token.</summary>
    private static Func<int, float[]> Stepwise(CausalLanguageModel model, int[] text, int prompt)
    {
        using var cache = model.CreateCache(1, text.Length);
        List<float[]> logits = [Last(model, text[..prompt], cache), .. text[prompt..].Select(token => Last(model, [token], cache))];
        return length => logits[length - prompt];
    }

    private static float[] Last(CausalLanguageModel model, int[] tokens, KeyValueCache? cache)
    {
        using var scope = NewDisposeScope();
        var ids = tensor(Array.ConvertAll(tokens, token => (long)token)).unsqueeze(0);
        var logits = model.Forward(new ModelInput(ids) { PastKeyValues = cache });
        return NativeTensor.AsSpan<float>(logits[0, -1].contiguous()).ToArray();
    }

    private static int[] Tokens(int seed, int length) => [.. Enumerable.Range(0, length).Select(i => (i * 37 + seed * 101) % 699 + 1)];
}
