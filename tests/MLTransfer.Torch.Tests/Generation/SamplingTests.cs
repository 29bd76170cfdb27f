using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Processors;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class SamplingTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    private static GenerationOptions Sampling { get; } = new() { Sample = true, Seed = 7, MaximumNewTokens = 20 };

    [Fact]
    public void Frequencies_match_the_distribution()
    {
        const int Draws = 5000;
        var options = Sampling with { TopK = 12, Temperature = 1.5, SequencesPerPrompt = Draws, MaximumNewTokens = 1 };
        var prompt = TinyGenerator.Prompts[0];
        var logits = tiny.Logits(prompt);
        LogitsPipeline.Create(options, logits.Length, []).Apply(logits, prompt, prompt.Length);
        var sum = logits.Sum(logit => Math.Exp(logit));

        var drawn = tiny.Generate([prompt], options)[0];
        var counts = drawn.CountBy(tokens => tokens.TokenIds[0]).ToDictionary();
        var statistic = 0.0;
        for (var id = 0; id < logits.Length; id++)
        {
            if (float.IsNegativeInfinity(logits[id]))
            {
                Assert.DoesNotContain(id, counts.Keys);
                continue;
            }

            var expected = Draws * Math.Exp(logits[id]) / sum;
            statistic += Math.Pow(counts.GetValueOrDefault(id) - expected, 2) / expected;
        }

        Assert.True(statistic < 31.3, $"chi-square with 11 degrees of freedom is {statistic}; 31.3 is passed once in a thousand times");
        Assert.All(drawn, tokens => Assert.Equal(logits[tokens.TokenIds[0]] - Math.Log(sum), tokens.LogProbabilities[0], 1e-4));
    }

    [Fact]
    public void A_seed_decides_what_is_drawn_and_another_seed_draws_something_else()
    {
        var first = tiny.Single(TinyGenerator.Prompts[0], Sampling);
        Assert.Equal(first.TokenIds, tiny.Single(TinyGenerator.Prompts[0], Sampling).TokenIds);
        Assert.NotEqual(first.TokenIds, tiny.Single(TinyGenerator.Prompts[0], Sampling with { Seed = 8 }).TokenIds);
    }

    [Fact]
    public void Without_a_seed_each_call_draws_something_else()
    {
        var options = Sampling with { Seed = null };
        Assert.NotEqual(tiny.Single(TinyGenerator.Prompts[0], options).TokenIds, tiny.Single(TinyGenerator.Prompts[0], options).TokenIds);
    }

    [Fact]
    public void Sequences_of_a_prompt_differ_and_their_number_changes_none()
    {
        var three = tiny.Generate([TinyGenerator.Prompts[0]], Sampling with { SequencesPerPrompt = 3 })[0];
        Assert.Equal(3, three.Select(tokens => string.Join(' ', tokens.TokenIds)).Distinct().Count());
        Assert.Equal(tiny.Single(TinyGenerator.Prompts[0], Sampling).TokenIds, three[0].TokenIds);
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_distribution_drawn_from()
    {
        var generated = tiny.Single(TinyGenerator.Prompts[1], Sampling with { Temperature = 0.8, MaximumNewTokens = 5 });
        List<int> tokens = [.. TinyGenerator.Prompts[1]];
        foreach (var (token, logProbability) in generated.TokenIds.Zip(generated.LogProbabilities))
        {
            var scaled = tiny.Logits(tokens).Select(logit => logit / 0.8).ToArray();
            Assert.Equal(scaled[token] - Math.Log(scaled.Sum(Math.Exp)), logProbability, 1e-4);
            tokens.Add(token);
        }
    }
}
