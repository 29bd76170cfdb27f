using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>
/// Splits text into the words that GPT-2's byte-pair encoding works on, by the pattern
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c> of the GPT-2 release.
/// </summary>
/// <remarks>
/// A scanner and not a <see cref="System.Text.RegularExpressions.Regex"/>, because the pattern is about code points while .NET's
/// expressions see UTF-16 units: there a letter or digit outside the basic plane ('𝒜', '𝟘', CJK extension B) is two characters
/// that are neither letter nor digit, and the words come out different. It also takes linear time and allocates nothing.
/// As a <see cref="PreTokenizer"/> it can be given to the tokenizers of Microsoft.ML.Tokenizers too.
/// </remarks>
internal sealed class Gpt2PreTokenizer : PreTokenizer
{
    private enum Kind : byte
    {
        Other,
        Letter,
        Number,
        Space,
    }

    private static readonly Kind[] s_asciiKinds = [.. Enumerable.Range(0, 128).Select(value => KindOf(new Rune(value)))];

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return PreTokenize(text.AsSpan());
    }

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text)
    {
        var words = new List<(int, int)>();
        for (int offset = 0; offset < text.Length;)
        {
            int length = FirstWordLength(text[offset..]);
            words.Add((offset, length));
            offset += length;
        }

        return words;
    }

    /// <summary>The number of UTF-16 units of the word at the beginning of a non-empty text.</summary>
    internal static int FirstWordLength(ReadOnlySpan<char> text)
    {
        char first = text[0];
        if (first == '\'' && ContractionLength(text) is int contraction and > 0)
            return contraction;

        int position = first == ' ' ? 1 : 0;
        if (position < text.Length)
        {
            Kind kind = KindAt(text, position, out int units);
            if (kind != Kind.Space)
            {
                do
                    position += units;
                while (position < text.Length && KindAt(text, position, out units) == kind);
                return position;
            }
        }

        // White space (all of it is in the basic plane): the run, less its last character where a word follows, which takes a
        // space along; but at least one.
        position = 1;
        while (position < text.Length && KindAt(text, position, out _) == Kind.Space)
            position++;
        return position == text.Length || position == 1 ? position : position - 1;
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2)
            return 0;

        return text[1] switch
        {
            's' or 't' or 'm' or 'd' => 2,
            'r' or 'v' when text.Length > 2 && text[2] == 'e' => 3,
            'l' when text.Length > 2 && text[2] == 'l' => 3,
            _ => 0,
        };
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int position, out int units)
    {
        char character = text[position];
        if (character < 128)
        {
            units = 1;
            return s_asciiKinds[character];
        }

        // An unpaired surrogate is read as U+FFFD, the character that it is encoded as.
        Rune.DecodeFromUtf16(text[position..], out Rune rune, out units);
        return KindOf(rune);
    }

    private static Kind KindOf(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.OtherLetter => Kind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
        _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
    };
}
