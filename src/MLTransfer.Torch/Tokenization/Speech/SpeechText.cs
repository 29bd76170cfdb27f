using System.Text;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Speech;

/// <summary>What is done to texts before they are spoken, with the results of Python's functions.</summary>
internal static class SpeechText
{
    private const char DottedCapitalI = '\u0130';

    /// <summary>Lower case, but for pieces that are tokens. Of several at a place the first one counts.</summary>
    public static string ToLower(string text, IReadOnlyList<string> pieces)
    {
        var lower = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var rest = text.AsSpan(i);
            string? found = null;
            foreach (var piece in pieces)
            {
                if (rest.StartsWith(piece, StringComparison.Ordinal))
                {
                    found = piece;
                    break;
                }
            }

            if (found is not null)
            {
                lower.Append(found);
                i += found.Length;
                continue;
            }

            Rune.DecodeFromUtf16(rest, out var rune, out var length);
            lower.Append(rune.Value == DottedCapitalI ? "i\u0307" : CaseFolding.ToLower(rune).ToString());
            i += length;
        }

        return lower.ToString();
    }

    /// <summary>The characters that are tokens, without white space at both ends.</summary>
    public static string Keep(string text, IReadOnlyDictionary<string, int> tokens)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.ToString() is var character && tokens.ContainsKey(character))
                kept.Append(character);
        }

        var result = kept.ToString();
        var (start, end) = (0, result.Length);
        while (start < end && IsSpace(result[start]))
            start++;
        while (end > start && IsSpace(result[end - 1]))
            end--;
        return result[start..end];
    }

    /// <summary>One space for each run of white space.</summary>
    public static string CollapseSpaces(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (!IsSpace(character))
                result.Append(character);
            else if (result.Length == 0 || result[^1] != ' ')
                result.Append(' ');
        }

        return result.ToString();
    }

    /// <summary>White space as Python has it: the separators of files, groups, records and units too.</summary>
    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\x1C' and <= '\x1F';
}
