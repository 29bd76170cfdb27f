using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Generation;

/// <summary>Generation where an encoder reads the prompts: the reference's batches and distributions, and what is computed how
/// often.</summary>
public class EncoderDecoderGenerationTests
{
    public static TheoryData<string> Folders => ["t5-tiny", "t5-v1_1-tiny", "bart-tiny"];

    /// <summary>Folders with a tokenizer.</summary>
    public static TheoryData<string> TextFolders => ["t5-tiny", "bart-tiny"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Prompts_of_different_lengths_read_together_equal_the_reference_and_the_encoder_reads_them_once(string folder)
    {
        using var network = (EncoderDecoderModel)FamilyFolders.Load(folder);
        var generator = new TokenGenerator(network);
        foreach (var (number, test) in Reference(folder)["batches"]!.AsArray().Index())
        {
            int[][] prompts =
            [
                .. test!["input_ids"]!.AsArray().Zip(test["attention_mask"]!.AsArray(), (ids, mask) =>
                    TinyGenerator.Ids(ids)[..TinyGenerator.Ids(mask).Sum()]),
            ];
            var options = GenerationReferenceTests.ToOptions(test["options"]!.AsObject(), test["max_new_tokens"]!.GetValue<int>());
            var generated = generator.Generate(prompts, options, TestContext.Current.CancellationToken);
            Assert.All(test["output_ids"]!.AsArray().Zip(generated), row => Assert.Equal(
                TinyGenerator.Ids(row.First), row.Second[0].TokenIds.Prepend(network.DecoderStartTokenId)));
            Assert.Equal(number + 1, network.EncoderPasses);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Distributions_after_processors_equal_the_reference(string folder)
    {
        var reference = Reference(folder);
        using var network = (EncoderDecoderModel)FamilyFolders.Load(folder);
        var written = TinyGenerator.Ids(reference["decoder_prompt_ids"]);
        var rules = TokenRules.Read(network.Configuration, network.VocabularySize);
        foreach (var test in reference["distributions"]!.AsArray())
        {
            GenerationReferenceTests.AssertDistribution(
                test!["name"]!.GetValue<string>(), test["probabilities"]!,
                Logits(network, TinyGenerator.Ids(reference["prompt_ids"]), written), written, rules with { ForcedLastIds = [] });
        }
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(4, 2)]
    public void The_encoder_reads_each_batch_once_however_many_sequences_there_are(int beams, int sequences)
    {
        using var network = (EncoderDecoderModel)FamilyFolders.Load("t5-tiny");
        int[][] prompts = [[78, 100, 11, 1], [3, 199, 5, 293, 27, 1], [111, 1]];
        var options = new GenerationOptions
        {
            BeamCount = beams, Sample = beams == 1, Seed = 3, SequencesPerPrompt = sequences, MaximumNewTokens = 8, BatchSize = 2,
        };

        var together = new TokenGenerator(network).Generate(prompts, options, TestContext.Current.CancellationToken);

        Assert.Equal(2, network.EncoderPasses);
        Assert.All(together, found => Assert.Equal(sequences, found.Count));
        Assert.True(network.FastSteps >= 8);
        foreach (var (prompt, found) in prompts.Zip(together))
        {
            var alone = new TokenGenerator(network).Generate([prompt], options, TestContext.Current.CancellationToken)[0];
            Assert.Equal(alone.Select(sequence => sequence.TokenIds), found.Select(sequence => sequence.TokenIds));
        }
    }

    [Fact]
    public void Each_prompt_draws_from_a_random_stream_of_its_own()
    {
        using var network = FamilyFolders.Load("t5-tiny");
        foreach (var parameter in network.parameters())
        {
            using (no_grad())
                parameter.zero_(); // all tokens are equally likely, whatever is read
        }

        var options = new GenerationOptions { Sample = true, Seed = 5, MaximumNewTokens = 12, EndOfSequenceIds = [] };
        var generated = new TokenGenerator(network).Generate([[78, 1], [100, 1], [78, 1]], options, TestContext.Current.CancellationToken);

        Assert.NotEqual(generated[0][0].TokenIds, generated[1][0].TokenIds);
        Assert.Equal(generated[0][0].TokenIds, generated[2][0].TokenIds);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Narrow_weights_take_fast_steps_and_stay_near(string folder)
    {
        using var network = (EncoderDecoderModel)FamilyFolders.Load(folder);
        int[] prompt = TinyGenerator.Ids(Reference(folder)["prompt_ids"]);
        int[] written = [network.DecoderStartTokenId, .. new TokenGenerator(network).Generate(
            [prompt], new GenerationOptions { MaximumNewTokens = 10 }, TestContext.Current.CancellationToken)[0][0].TokenIds];
        var exact = Logits(network, prompt, written);
        var range = exact.Max() - exact.Min();

        using var bfloat16 = (EncoderDecoderModel)network.ConvertTo(ScalarType.BFloat16);
        using var own = (EncoderDecoderModel)network.Copy();
        WeightQuantization.Quantize(own);
        using var four = (EncoderDecoderModel)network.Copy();
        WeightQuantization.Quantize(four, QuantizationFormat.Int4);
        foreach (var (narrow, part) in ((EncoderDecoderModel, int)[])[(bfloat16, 10), (own, 10), (four, 3)])
        {
            var found = new TokenGenerator(narrow).Generate(
                [prompt], new GenerationOptions { MaximumNewTokens = 9, EndOfSequenceIds = [] },
                    TestContext.Current.CancellationToken)[0][0];
            Assert.Equal(9, found.TokenIds.Count);
            Assert.Equal(9, narrow.FastSteps);
            Assert.All(exact.Zip(Logits(narrow, prompt, written)), pair =>
                Assert.InRange(pair.Second, pair.First - range / part, pair.First + range / part));
        }
    }

    [Theory]
    [MemberData(nameof(TextFolders))]
    public void Texts_are_those_of_the_tokens_and_pieces_of_a_stream_join_to_them(string folder)
    {
        using var network = (EncoderDecoderModel)FamilyFolders.Load(folder);
        var tokenizer = TextTokenizer.Load(FamilyFolders.PathOf(folder));
        var generator = new TextGenerator(network, tokenizer);
        var options = new GenerationOptions { MaximumNewTokens = 20, MinimumNewTokens = 6 };
        foreach (var prompt in (string[])["The old man went home.", "", "A long and winding road, and nobody on it"])
        {
            var tokens = new TokenGenerator(network).Generate(
                [tokenizer.Encode(prompt)], options, TestContext.Current.CancellationToken)[0][0].TokenIds;
            var generated = generator.Generate([prompt], options, TestContext.Current.CancellationToken)[0][0];
            Assert.Equal(tokens, generated.TokenIds);
            Assert.Equal(tokenizer.Decode([.. tokens], skipSpecialTokens: true), generated.Text);
            Assert.NotEmpty(generated.Text);
            Assert.Equal(generated.Text, string.Concat(generator.StreamAsync(prompt, options, TestContext.Current.CancellationToken)
                .ToBlockingEnumerable(TestContext.Current.CancellationToken)));
        }
    }

    /// <summary>BART's positions are a table of 64 rows.</summary>
    [Fact]
    public void Generation_ends_with_the_forced_token_where_the_decoders_context_does()
    {
        using var network = (EncoderDecoderModel)FamilyFolders.Load("bart-tiny");
        foreach (var beams in (int[])[1, 3])
        {
            var generated = new TokenGenerator(network).Generate(
                [[0, 55, 261, 2], [0, 41, 76, 317, 2]],
                new GenerationOptions { MaximumNewTokens = 200, MinimumNewTokens = 100, BeamCount = beams },
                    TestContext.Current.CancellationToken);
            Assert.All(generated, found =>
            {
                Assert.Equal(64, found[0].TokenIds.Count);
                Assert.Equal(0, found[0].TokenIds[0]);
                Assert.Equal(2, found[0].TokenIds[^1]);
                Assert.Equal(FinishReason.EndOfSequence, found[0].FinishReason);
            });
        }
    }

    [Fact]
    public void A_prompt_that_is_longer_than_the_encoders_context_loses_its_end_but_for_the_last_token()
    {
        using var network = FamilyFolders.Load("bart-tiny");
        int[] prompt = [0, .. Enumerable.Range(0, 100).Select(i => 5 + i * 37 % 470), 2];
        var options = new GenerationOptions { MaximumNewTokens = 10 };
        var generator = new TokenGenerator(network);
        Assert.Equal(
            generator.Generate([[.. prompt[..63], 2]], options, TestContext.Current.CancellationToken)[0][0].TokenIds,
            generator.Generate([prompt], options, TestContext.Current.CancellationToken)[0][0].TokenIds);
        Assert.Equal(
            generator.Generate([prompt[..64]], options, TestContext.Current.CancellationToken)[0][0].TokenIds,
            generator.Generate([prompt[..^1]], options, TestContext.Current.CancellationToken)[0][0].TokenIds);
    }

    [Fact]
    public void The_decoder_begins_with_the_beginning_of_sequence_where_no_other_start_is_named()
    {
        var configuration = FamilyFolders.Configuration("t5-tiny");
        configuration.Remove("decoder_start_token_id");
        configuration["bos_token_id"] = 7;
        using var network = (EncoderDecoderModel)TransformerNetwork.Create(configuration, seed: 1);
        Assert.Equal(7, network.DecoderStartTokenId);

        configuration.Remove("bos_token_id");
        using var startless = TransformerNetwork.Create(configuration, seed: 1);
        var message = Assert.Throws<InvalidDataException>(() => new TokenGenerator(startless)).Message;
        Assert.Contains("decoder_start_token_id", message, StringComparison.Ordinal);

        configuration["decoder_start_token_id"] = 320;
        using var outside = TransformerNetwork.Create(configuration, seed: 1);
        message = Assert.Throws<InvalidDataException>(() => new TokenGenerator(outside)).Message;
        Assert.Contains("decoder_start_token_id is 320", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_without_a_decoder_is_refused()
    {
        using var network = FamilyFolders.Load("bert-tiny");
        Assert.Contains(
            "MaskedLanguageModel (bert)", Assert.Throws<ArgumentException>(() => new TokenGenerator(network)).Message,
                StringComparison.Ordinal);
    }

    private static JsonNode Reference(string folder) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(FamilyFolders.PathOf(folder), "generation.json")))!;

    /// <summary>The logits after tokens of the decoder, from a pass without a cache.</summary>
    private static float[] Logits(EncoderDecoderModel network, int[] prompt, int[] written)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var encoded = network.Encode(new ModelInput(Row(prompt)));
        var logits = network.Forward(new ModelInput(Row(written)) { Encoded = encoded })[0, written.Length - 1];
        return NativeTensor.AsSpan<float>(logits.to(ScalarType.Float32).contiguous()).ToArray();

        static Tensor Row(int[] ids) => tensor(Array.ConvertAll(ids, id => (long)id)).unsqueeze(0);
    }
}
