using MLTransfer.Torch.Generation;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class BeamSearchTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    private static readonly int[] Ends = [137, 495, 558];

    [Theory]
    [InlineData(1.0, EarlyStopping.Heuristic)]
    [InlineData(0.0, EarlyStopping.Never)]
    [InlineData(2.0, EarlyStopping.Never)]
    [InlineData(-1.0, EarlyStopping.WhenFinished)]
    public void Scores_are_the_models_log_probabilities_with_the_length_penalty_best_first(
        double lengthPenalty, EarlyStopping earlyStopping)
    {
        var options = new GenerationOptions
        {
            BeamCount = 5, SequencesPerPrompt = 5, MaximumNewTokens = 12, LengthPenalty = lengthPenalty, EarlyStopping = earlyStopping,
            EndOfSequenceIds = Ends,
        };
        foreach (var prompt in TinyGenerator.Prompts)
        {
            var generated = tiny.Generate([prompt], options)[0];
            Assert.Equal(5, generated.Select(tokens => string.Join(' ', tokens.TokenIds)).Distinct().Count());
            Assert.Equal(generated.OrderByDescending(tokens => tokens.SequenceScore), generated);
            foreach (var tokens in generated)
            {
                var sum = 0.0;
                for (var i = 0; i < tokens.TokenIds.Count; i++)
                {
                    var expected = tiny.LogProbabilities([.. prompt, .. tokens.TokenIds.Take(i)])[tokens.TokenIds[i]];
                    Assert.Equal(expected, tokens.LogProbabilities[i], 1e-4);
                    sum += expected;
                }

                Assert.Equal(sum / Math.Pow(tokens.TokenIds.Count, lengthPenalty), tokens.SequenceScore!.Value, 1e-3);
                Assert.DoesNotContain(tokens.TokenIds.SkipLast(1), id => Ends.Contains(id));
                Assert.Equal(Ends.Contains(tokens.TokenIds[^1]) ? FinishReason.EndOfSequence : FinishReason.Length, tokens.FinishReason);
            }
        }
    }

    [Fact]
    public void With_a_beam_for_every_token_the_best_of_all_sequences_is_found()
    {
        var prompt = TinyGenerator.Prompts[0];
        int[] ends = [695]; // the most probable token, so that the one-token sequence competes with those of two
        var options = new GenerationOptions
        {
            BeamCount = 700, MaximumNewTokens = 2, LengthPenalty = 0.7, EarlyStopping = EarlyStopping.Never, EndOfSequenceIds = ends,
            SequencesPerPrompt = 20,
        };
        var first = tiny.LogProbabilities(prompt);
        var all = new List<(double Score, string Tokens)>();
        for (var token = 0; token < first.Length; token++)
        {
            if (ends.Contains(token))
            {
                all.Add((first[token], $"{token}"));
                continue;
            }

            if (first[token] < -9)
                continue; // too improbable to begin one of the best
            var second = tiny.LogProbabilities([.. prompt, token]);
            all.AddRange(second.Select((logProbability, next) => ((first[token] + logProbability) / Math.Pow(2, 0.7), $"{token} {next}")));
        }

        var generated = tiny.Generate([prompt], options)[0];
        Assert.Equal(
            all.OrderByDescending(candidate => candidate.Score).Take(20).Select(candidate => candidate.Tokens),
            generated.Select(tokens => string.Join(' ', tokens.TokenIds)));
    }

    [Fact]
    public void No_beam_ends_before_the_minimum()
    {
        var options = new GenerationOptions
            { BeamCount = 4, MinimumNewTokens = 9, MaximumNewTokens = 12, EndOfSequenceIds = Ends, SequencesPerPrompt = 4 };
        Assert.All(
            tiny.Generate(TinyGenerator.Prompts, options).SelectMany(sequences => sequences),
            tokens => Assert.InRange(tokens.TokenIds.Count, 10, 12));
    }
}
