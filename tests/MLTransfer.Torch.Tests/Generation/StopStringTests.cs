using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Generation;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class StopStringTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    private const string Prompt = "As our equipment was crude";

    private static GenerationOptions Sampling { get; } = new() { Sample = true, Seed = 11, MaximumNewTokens = 40, EndOfSequenceIds = [] };

    [Property]
    public Property Text_is_cut_before_the_stop_string_that_is_complete_first_however_it_comes_in_pieces() =>
        Prop.ForAll(Text(0, 30).ToArbitrary(), Text(1, 4).ArrayOf(3).ToArbitrary(), Gen.Choose(1, 5).ToArbitrary(),
            (text, stopStrings, pieceLength) =>
        {
            var ends = Enumerable.Range(0, text.Length + 1)
                .FirstOrDefault(end => stopStrings.Any(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)), -1);
            var expected = ends < 0 ? text
                : text[..(
                ends - stopStrings.Where(stop => text[..ends].EndsWith(stop, StringComparison.Ordinal)).Max(stop => stop.Length))];

            var filter = new StopStringFilter(stopStrings);
            var passed = "";
            foreach (var piece in text.Chunk(pieceLength))
            {
                passed += filter.Append(new string(piece));
                Assert.StartsWith(passed, expected, StringComparison.Ordinal); // nothing has to be taken back
            }

            Assert.Equal(ends >= 0, filter.HasStopped);
            Assert.Equal(expected, passed + filter.Flush());
        });

    [Fact]
    public void Generation_stops_at_a_stop_string_that_spans_tokens()
    {
        var whole = tiny.Texts(Prompt, Sampling)[0];
        var stop = whole.Text.Substring(whole.Text.Length / 2, 4);
        var cut = tiny.Texts(Prompt, Sampling with { StopStrings = ["never to be seen", stop] })[0];
        Assert.Equal(FinishReason.StopString, cut.FinishReason);
        Assert.Equal(whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)], cut.Text);
        AssertEndsWith(stop, cut);
    }

    [Fact]
    public void Beams_end_at_a_stop_string()
    {
        var options = new GenerationOptions
            { BeamCount = 4, SequencesPerPrompt = 4, MaximumNewTokens = 30, EndOfSequenceIds = [], LengthPenalty = -1 };
        var stop = tiny.Texts(Prompt, options)[0].Text.Substring(8, 3);
        var texts = tiny.Texts(Prompt, options with { StopStrings = [stop] });
        Assert.Contains(texts, text => text.FinishReason == FinishReason.StopString);
        foreach (var text in texts)
        {
            Assert.DoesNotContain(stop, text.Text, StringComparison.Ordinal);
            if (text.FinishReason == FinishReason.StopString)
                AssertEndsWith(stop, text);
        }
    }

    [Fact]
    public void An_end_of_sequence_token_is_no_text_even_where_it_is_an_ordinary_token()
    {
        var whole = tiny.Texts(Prompt, Sampling)[0];
        var end = whole.TokenIds[20];
        var count = whole.TokenIds.TakeWhile(id => id != end).Count();
        var cut = tiny.Texts(Prompt, Sampling with { EndOfSequenceIds = [end] })[0];
        Assert.Equal(FinishReason.EndOfSequence, cut.FinishReason);
        Assert.Equal(whole.TokenIds.Take(count + 1), cut.TokenIds);
        Assert.Equal(tiny.Tokenizer.Decode([.. whole.TokenIds.Take(count)], skipSpecialTokens: true), cut.Text);
    }

    [Fact]
    public void Stop_strings_without_a_tokenizer_are_refused() => Assert.Contains(
        nameof(TextGenerator),
        Assert.Throws<ArgumentException>(() => tiny.Generate([[1]], new GenerationOptions { StopStrings = ["x"] })).Message,
        StringComparison.Ordinal);

    /// <summary>The stop string comes with the last token, and the text is what was before it.</summary>
    private void AssertEndsWith(string stop, GeneratedText cut)
    {
        Assert.StartsWith(cut.Text + stop, tiny.Tokenizer.Decode([.. cut.TokenIds], skipSpecialTokens: true), StringComparison.Ordinal);
        Assert.DoesNotContain(
            stop, tiny.Tokenizer.Decode([.. cut.TokenIds.SkipLast(1)], skipSpecialTokens: true), StringComparison.Ordinal);
    }

    private static Gen<string> Text(int minimum, int maximum) =>
        from length in Gen.Choose(minimum, maximum)
        from letters in Gen.Elements('a', 'b', 'c').ArrayOf(length)
        select new string(letters);
}
