using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Cases of letters as Python has them.</summary>
internal static class Letters
{
    public static string Upper(string text) => text.ToUpperInvariant().Replace("ß", "SS", StringComparison.Ordinal)
        .Replace("ﬁ", "FI", StringComparison.Ordinal).Replace("ﬂ", "FL", StringComparison.Ordinal)
            .Replace("ŉ", "ʼN", StringComparison.Ordinal);

    public static string Lower(string text) => text.ToLowerInvariant();

    public static string Capitalize(string text)
    {
        if (text.Length == 0)
            return text;
        var first = text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
        return FirstUpper(text[..first]) + Lower(text[first..]);
    }

    /// <summary><c>str.title</c>: a word begins behind every character that has no case.</summary>
    public static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var inWord = false;
        foreach (var character in text)
        {
            result.Append(inWord ? Lower(character.ToString()) : FirstUpper(character.ToString()));
            inWord = char.IsLetter(character) && char.GetUnicodeCategory(character) is not UnicodeCategory.OtherLetter;
        }
        return result.ToString();
    }

    private static string FirstUpper(string text) => text == "ß" ? "Ss" : Upper(text);
}
