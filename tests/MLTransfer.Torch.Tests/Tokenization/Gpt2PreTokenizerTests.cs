using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Tokenization.PreTokenizers;
using Microsoft.ML.Tokenizers;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed partial class Gpt2PreTokenizerTests
{
    // Fragments that the pattern's alternatives begin, end and turn on.
    private static readonly string[] s_fragments =
    [
        "a", "Z", "é", "日", "𝒜", "𠀀", "1", "٣", "½", "𝟘", " ", "  ", "\t", "\r\n", "\u00A0", "\u3000", "\u0085", "'", "'s", "'t", "'re",
        "'ve", "'m", "'ll", "'d", "'l", "'S", "!", "…", "_", "\u0301", "\u200B", "🤖", "\uD835", "\uDC9C",
    ];

    private static readonly Gen<string> s_texts = Gen.Elements(s_fragments).ArrayOf().Select(string.Concat);

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pattern();

    [Property(MaxTest = 2000)]
    public Property Words_are_the_matches_of_the_pattern_on_code_points() => Prop.ForAll(s_texts.ToArbitrary(), text =>
        Assert.Equal(WordsByPattern(text), new Gpt2PreTokenizer().PreTokenize(text).Select(word => word.Length)));

    [Property(MaxTest = 2000)]
    public void Words_cover_any_text_in_order(string? text)
    {
        int end = 0;
        foreach ((int offset, int length) in new Gpt2PreTokenizer().PreTokenize(text ?? ""))
        {
            Assert.Equal(end, offset);
            Assert.True(length > 0);
            end += length;
        }

        Assert.Equal((text ?? "").Length, end);
    }

    [Fact]
    public void It_serves_the_tokenizers_of_Microsoft_ML_Tokenizers()
    {
        string text = TokenizerData.Excerpt;
        BpeTokenizer other = BpeTokenizer.Create(BytePairMergerTests.OptionsOf(new Gpt2PreTokenizer()));

        Assert.Equal(TokenizerData.Tokenizer.Encode(text), other.EncodeToIds(text));
    }

    /// <summary>
    /// The lengths of the words by .NET's expression, which sees UTF-16 units: each code point beyond them is first replaced by one
    /// character of its kind.
    /// </summary>
    private static IEnumerable<int> WordsByPattern(string text)
    {
        Rune[] runes = [.. text.EnumerateRunes()];
        string oneUnitEach = string.Concat(runes.Select(rune =>
            rune.IsBmp ? rune.ToString() : Rune.IsLetter(rune) ? "x" : Rune.IsNumber(rune) ? "7" : "#"));
        return Pattern().Matches(oneUnitEach).Select(match =>
            runes.AsSpan(match.Index, match.Length).ToArray().Sum(rune => rune.Utf16SequenceLength));
    }
}
