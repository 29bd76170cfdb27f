using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.Tokenization.Unicode;

/// <summary>The kinds of characters that stages of the tokenizers library tell apart.</summary>
internal static class CharacterKinds
{
    /// <summary>Unicode's property Numeric by category: decimal digits, letter-like and other numbers.</summary>
    public static bool IsNumeric(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    // By the table of the reference, which is that of Unicode 8; two characters are of another category since.
    private static readonly CodePointSet s_punctuation = UnicodeProperties.ByName("P")!.Intersect(UnicodeProperties.OfVersion(8))
        .Union(CodePointSet.Of([(0x166D, 0x166D), (0x111C9, 0x111C9)]));

    /// <summary>Punctuation of Unicode, and everything in ASCII that is neither letter, digit, space nor control character.</summary>
    public static bool IsPunctuation(Rune rune) =>
        rune.IsAscii ? rune.Value is (>= '!' and <= '/') or (>= ':' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~')
            : s_punctuation.Contains(rune);

    /// <summary>A word character of Rust's regular expressions: Oniguruma's, and the two joiners.</summary>
    public static bool IsWord(Rune rune) => rune.IsAscii
        ? char.IsAsciiLetterOrDigit((char)rune.Value) || rune.Value == '_'
        : UnicodeProperties.Word.Contains(rune.Value) || rune.Value is 0x200C or 0x200D;
}
