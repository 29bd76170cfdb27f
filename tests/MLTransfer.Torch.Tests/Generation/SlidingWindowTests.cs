using MLTransfer.Torch.Generation;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class SlidingWindowTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    private const int Context = 64;

    /// <summary>Prompt lengths below, at and above the context, and new tokens that pass it several times.</summary>
    [Theory]
    [InlineData(1, 200)]
    [InlineData(40, 25)]
    [InlineData(63, 5)]
    [InlineData(64, 1)]
    [InlineData(64, 70)]
    [InlineData(65, 3)]
    [InlineData(150, 100)]
    public void Generation_goes_on_past_the_context_from_its_last_half(int promptLength, int newTokens)
    {
        int[] prompt = [.. Enumerable.Range(0, promptLength).Select(i => i * 37 % 699 + 1)];
        var options = new GenerationOptions { MaximumNewTokens = newTokens, EndOfSequenceIds = [], RepetitionPenalty = 1.1 };
        var generated = tiny.Single(prompt, options);

        List<int> all = [.. prompt];
        List<int> window = promptLength <= Context ? [.. prompt] : [.. prompt[^(Context - Math.Min(newTokens, Context / 2))..]];
        for (var i = 0; i < newTokens; i++)
        {
            var logits = tiny.Logits(window);
            foreach (var id in all.Distinct())
                logits[id] = logits[id] < 0 ? logits[id] * 1.1f : logits[id] / 1.1f;
            var token = logits.IndexOf(logits.Max());
            Assert.Equal(token, generated.TokenIds[i]);
            all.Add(token);
            if (window.Count == Context)
                window = all[^(Context / 2)..];
            else
                window.Add(token);
        }

        Assert.Equal(newTokens, generated.TokenIds.Count);
        Assert.Equal(FinishReason.Length, generated.FinishReason);
    }

    [Fact]
    public void Beam_search_goes_on_past_the_context()
    {
        var generated = tiny.Single(
            [.. Enumerable.Range(1, 60)],
            new GenerationOptions { MaximumNewTokens = 100, EndOfSequenceIds = [], BeamCount = 3, NoRepeatNgramSize = 3 });
        Assert.Equal(100, generated.TokenIds.Count);
    }
}
file static class ArrayExtensions
{
    public static int IndexOf(this float[] values, float value) => Array.IndexOf(values, value);
}
