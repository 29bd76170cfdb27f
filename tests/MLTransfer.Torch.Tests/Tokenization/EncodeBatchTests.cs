using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class EncodeBatchTests
{
    private static readonly TextTokenizer s_tokenizer = TokenizerData.Tokenizer;

    // 4, 1 and 0 tokens: no merge joins digits.
    private static readonly string[] s_texts = ["1234", "x", ""];
    private static readonly int[] s_long = s_tokenizer.Encode("1234");
    private static readonly int s_short = s_tokenizer.Encode("x").Single();

    [Theory]
    [InlineData(SequenceSide.Right)]
    [InlineData(SequenceSide.Left)]
    public void Rows_are_padded_to_the_longest_on_the_side_asked_for(SequenceSide side)
    {
        EncodedBatch batch = s_tokenizer.EncodeBatch(s_texts, new EncodingOptions { PaddingSide = side, PaddingId = 9 });

        Assert.Equal((3, 4), (batch.Rows, batch.Length));
        long[] padded = side == SequenceSide.Right ? [s_short, 9, 9, 9] : [9, 9, 9, s_short];
        long[] mask = side == SequenceSide.Right ? [1, 0, 0, 0] : [0, 0, 0, 1];
        Assert.Equal([.. s_long.Select(id => (long)id), .. padded, 9, 9, 9, 9], batch.InputIds);
        Assert.Equal([1, 1, 1, 1, .. mask, 0, 0, 0, 0], batch.AttentionMask);
    }

    [Theory]
    [InlineData(SequenceSide.Right, 0, 2)]
    [InlineData(SequenceSide.Left, 2, 4)]
    public void Long_texts_are_cut_on_the_side_asked_for(SequenceSide side, int from, int to)
    {
        EncodedBatch batch =
            s_tokenizer.EncodeBatch(s_texts, new EncodingOptions { MaximumLength = 2, TruncationSide = side, PaddingId = 9 });

        Assert.Equal(2, batch.Length);
        Assert.Equal([.. s_long[from..to].Select(id => (long)id), s_short, 9, 9, 9], batch.InputIds);
    }

    [Theory]
    [InlineData(null, 3, 6)]
    [InlineData(8, null, 8)]
    [InlineData(5, 4, 8)]
    [InlineData(2, null, 4)]
    public void The_length_reaches_the_least_and_the_multiple_asked_for(int? padToLength, int? multiple, int expected) =>
        Assert.Equal(expected, s_tokenizer.EncodeBatch(
            s_texts, new EncodingOptions { PadToLength = padToLength, PadToMultipleOf = multiple }).Length);

    [Fact]
    public void Padding_without_a_padding_token_is_the_end_of_sequence_token() =>
        Assert.Equal(s_tokenizer.EndOfSequenceId!.Value, s_tokenizer.EncodeBatch(s_texts).InputIds[^1]);

    [Fact]
    public void Special_tokens_around_a_text_survive_truncation()
    {
        Dictionary<string, byte[]> files = TokenizerData.Files("vocab.json", "merges.txt");
        files["tokenizer_config.json"] = TokenizerData.Json(new { add_bos_token = true, add_eos_token = true, pad_token = "!" });
        TextTokenizer tokenizer = TextTokenizer.Load(files);

        EncodedBatch batch = tokenizer.EncodeBatch(s_texts, new EncodingOptions { MaximumLength = 3 });

        Assert.Equal([0, s_long[0], 0, 0, s_short, 0, 0, 0, 1], batch.InputIds);
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 0], batch.AttentionMask);
        Assert.Equal(s_long, tokenizer.Encode("1234", addSpecialTokens: false));
        Assert.Contains("special tokens", Assert.Throws<ArgumentException>(
            () => tokenizer.EncodeBatch(s_texts, new EncodingOptions { MaximumLength = 1 })).Message);
    }

    [Fact]
    public void No_texts_make_an_empty_batch()
    {
        EncodedBatch batch = s_tokenizer.EncodeBatch([]);

        Assert.Equal((0, 0, 0), (batch.Rows, batch.Length, batch.InputIds.Length));
    }

    [Fact]
    public void Options_that_are_not_positive_are_refused_by_name()
    {
        foreach ((string name, EncodingOptions options) in ((string, EncodingOptions)[])[
            ("MaximumLength", new() { MaximumLength = 0 }), ("PadToLength", new() { PadToLength = -1 }),
            ("PadToMultipleOf", new() { PadToMultipleOf = 0 })])
        {
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => s_tokenizer.EncodeBatch(s_texts, options)).Message);
        }
    }

    [Fact]
    public void Padding_without_any_token_for_it_is_refused_with_the_remedy()
    {
        Dictionary<string, byte[]> files = TokenizerData.Files("tokenizer.json");
        files["tokenizer_config.json"] = TokenizerData.Json(new { tokenizer_class = "PreTrainedTokenizerFast" });
        TextTokenizer tokenizer = TextTokenizer.Load(files);

        Assert.Null(tokenizer.EndOfSequenceId);
        Assert.Contains("PaddingId", Assert.Throws<InvalidOperationException>(() => tokenizer.EncodeBatch(s_texts)).Message);
        Assert.Equal(2, tokenizer.EncodeBatch(["x", "x"]).Rows);
    }
}
