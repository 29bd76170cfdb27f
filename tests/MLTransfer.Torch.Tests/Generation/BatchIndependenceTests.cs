using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class BatchIndependenceTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
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
    [MemberData(nameof(Options))]
    public void Prompts_of_different_lengths_read_together_give_what_each_gives_alone(string name, GenerationOptions options)
    {
        var alone = TinyGenerator.Prompts.Select(prompt => tiny.Generate([prompt], options)[0]).ToArray();
        foreach (var batchSize in (int[])[2, 5])
        {
            var together = tiny.Generate(TinyGenerator.Prompts, options with { BatchSize = batchSize });
            foreach (var (expected, actual) in alone.Zip(together))
            {
                Assert.Equal(options.SequencesPerPrompt, actual.Count);
                foreach (var (one, other) in expected.Zip(actual))
                {
                    Assert.Equal(one.TokenIds, other.TokenIds);
                    Assert.Equal(one.FinishReason, other.FinishReason);
                    Assert.All(one.LogProbabilities.Zip(other.LogProbabilities), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
                }
            }
        }

        if (name.EndsWith("with ends", StringComparison.Ordinal))
            Assert.True(
                alone.SelectMany(sequences => sequences.Select(tokens => tokens.TokenIds.Count)).Distinct().Count() > 1, "all end alike");
    }

    [Fact]
    public void The_order_of_prompts_changes_no_sample()
    {
        var options = new GenerationOptions { Sample = true, Seed = 5, MaximumNewTokens = 30 };
        var forward = tiny.Generate(TinyGenerator.Prompts, options);
        var backward = tiny.Generate([.. TinyGenerator.Prompts.Reverse()], options);
        Assert.All(forward.Zip(backward.Reverse()), pair => Assert.Equal(pair.First[0].TokenIds, pair.Second[0].TokenIds));
    }

    [Fact]
    public void Threads_that_share_a_model_give_what_one_thread_gives()
    {
        var options = new GenerationOptions { Sample = true, Seed = 5, MaximumNewTokens = 30 };
        var expected = TinyGenerator.Prompts.Select(prompt => tiny.Single(prompt, options).TokenIds).ToArray();
        Parallel.For(0, 4 * expected.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            Assert.Equal(expected[i % expected.Length], tiny.Single(TinyGenerator.Prompts[i % expected.Length], options).TokenIds));
    }

    [Fact]
    public void An_empty_prompt_starts_from_the_beginning_of_sequence_token()
    {
        var generated = tiny.Generate([[], [0]], new GenerationOptions { MaximumNewTokens = 8 });
        Assert.Equal(generated[1][0].TokenIds, generated[0][0].TokenIds);
        Assert.Equal(generated[1][0].TokenIds, tiny.Texts("", new GenerationOptions { MaximumNewTokens = 8 })[0].TokenIds);
    }

    [Fact]
    public void No_prompts_give_no_continuations() => Assert.Empty(tiny.Generate([], new GenerationOptions()));

    [Fact]
    public void An_empty_prompt_is_refused_where_the_model_names_no_token_to_begin_with()
    {
        var configuration = tiny.Model.Configuration.DeepClone().AsObject();
        configuration.Remove("bos_token_id");
        configuration.Remove("eos_token_id");
        using var model = CausalLanguageModel.Create(configuration);
        var exception = Assert.Throws<ArgumentException>(
            () => new TokenGenerator(model).Generate([[1], []], null, TestContext.Current.CancellationToken));
        Assert.StartsWith("Prompt 1 is empty", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(700)]
    [InlineData(-1)]
    public void A_token_outside_the_vocabulary_is_refused_with_its_place(int id)
    {
        var exception = Assert.Throws<ArgumentException>(() => tiny.Generate([[1], [5, id]], new GenerationOptions()));
        Assert.StartsWith($"Prompt 1 has token id {id} at position 1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("699",
            Assert.Throws<ArgumentException>(() => tiny.Generate([[1]], new GenerationOptions { EndOfSequenceIds = [id] })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_in_training_mode_is_refused()
    {
        using var model = CausalLanguageModel.Load(TinyGenerator.Folder);
        var generator = new TokenGenerator(model);
        model.train();
        Assert.Contains("eval()",
            Assert.Throws<InvalidOperationException>(() => generator.Generate([[1]], null, TestContext.Current.CancellationToken)).Message,
            StringComparison.Ordinal);
    }
}
