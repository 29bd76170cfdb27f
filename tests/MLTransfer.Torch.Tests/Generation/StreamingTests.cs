using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class StreamingTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    private const string Prompt = "As our equipment was crude";

    /// <summary>Would take hours.</summary>
    private static GenerationOptions Endless { get; } =
        new() { Sample = true, Seed = 1, MaximumNewTokens = int.MaxValue, EndOfSequenceIds = [] };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Pieces_joined_are_the_generated_text_and_none_is_half_a_character(int seed)
    {
        var options = Endless with { Seed = seed, MaximumNewTokens = 120 };
        var whole = tiny.Texts(Prompt, options)[0].Text;
        foreach (var stopped in (
            GenerationOptions[])[options, options with { StopStrings = [whole.Substring(whole.Length * 2 / 3, 3), "\u0001"] }])
        {
            var expected = tiny.Texts(Prompt, stopped)[0].Text;
            var pieces = new List<string>();
            await foreach (var piece in tiny.TextGenerator.StreamAsync(Prompt, stopped, TestContext.Current.CancellationToken))
                pieces.Add(piece);
            Assert.Equal(expected, string.Concat(pieces));
            Assert.True(pieces.Count > 5, "the text does not come in pieces");
            Assert.All(
                pieces, piece => Assert.False(piece.Length == 0 || char.IsHighSurrogate(piece[^1]) || char.IsLowSurrogate(piece[0])));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Leaving_the_enumeration_ends_generation()
    {
        var pieces = 0;
        await foreach (var piece in tiny.TextGenerator.StreamAsync(Prompt, Endless, TestContext.Current.CancellationToken))
        {
            if (++pieces == 3)
                break; // waits for the generating thread to end
        }

        Assert.Equal(3, pieces);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_slow_reader_holds_generation_back_and_can_leave_all_the_same()
    {
        await using var stream = tiny.TextGenerator.StreamAsync(Prompt, Endless, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await stream.MoveNextAsync());
        await Task.Delay(500, TestContext.Current.CancellationToken); // the channel is full by now
        Assert.True(await stream.MoveNextAsync());
    }

    [Fact(Timeout = 60_000)]
    public async Task Cancelling_surfaces_in_the_enumeration()
    {
        using var cancellation = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in tiny.TextGenerator.StreamAsync(Prompt, Endless, cancellation.Token))
                await cancellation.CancelAsync();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in tiny.TextGenerator.StreamAsync(Prompt, Endless, TestContext.Current.CancellationToken)
                .WithCancellation(cancellation.Token))
                Assert.Fail("cancelled before it began");
        });
    }

    [Fact(Timeout = 60_000)]
    public async Task Cancelling_ends_generation_without_a_stream()
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Run(
            () => tiny.TextGenerator.Generate([Prompt, "x"], Endless, cancellation.Token), TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_the_model_throws_surfaces_in_the_enumeration()
    {
        using var model = CausalLanguageModel.Load(TinyGenerator.Folder);
        using (TorchSharp.torch.no_grad())
            model.TokenEmbedding.fill_(float.NaN);
        var generator = new TextGenerator(model, TextTokenizer.Load(TinyGenerator.Folder));
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var piece in generator.StreamAsync(Prompt, Endless, TestContext.Current.CancellationToken))
                Assert.Fail("a model of NaN writes nothing");
        });
        Assert.Contains("not finite numbers", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Beams_and_several_sequences_are_refused_before_the_enumeration()
    {
        Assert.Throws<ArgumentException>(
            () => tiny.TextGenerator.StreamAsync(Prompt, new GenerationOptions { BeamCount = 2 }, TestContext.Current.CancellationToken));
        Assert.Throws<ArgumentException>(() => tiny.TextGenerator.StreamAsync(
            Prompt, new GenerationOptions { Sample = true, SequencesPerPrompt = 2 }, TestContext.Current.CancellationToken));
    }
}
