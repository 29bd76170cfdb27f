using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>The value of a string literal: Python's escapes; an unknown one stays as it is written.</summary>
internal static class StringLiteral
{
    private static readonly FrozenDictionary<char, string> s_simple = new Dictionary<char, string>
    {
        ['\n'] = "", ['\\'] = "\\", ['\''] = "'", ['"'] = "\"", ['a'] = "\a", ['b'] = "\b", ['f'] = "\f", ['n'] = "\n", ['r'] = "\r",
        ['t'] = "\t", ['v'] = "\v",
    }.ToFrozenDictionary();

    // .NET has no names of characters: these are the ones that stand in texts for people.
    private static readonly FrozenDictionary<string, string> s_names = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["BULLET"] = "\u2022", ["EM DASH"] = "\u2014", ["EN DASH"] = "\u2013", ["HORIZONTAL ELLIPSIS"] = "\u2026", ["SPACE"] = " ",
        ["NO-BREAK SPACE"] = "\u00a0", ["ZERO WIDTH SPACE"] = "\u200b", ["ZERO WIDTH JOINER"] = "\u200d", ["LINE FEED"] = "\n",
        ["LEFT DOUBLE QUOTATION MARK"] = "\u201c", ["RIGHT DOUBLE QUOTATION MARK"] = "\u201d", ["LEFT SINGLE QUOTATION MARK"] = "\u2018",
        ["RIGHT SINGLE QUOTATION MARK"] = "\u2019", ["FULLWIDTH VERTICAL LINE"] = "\uff5c", ["LOWER ONE EIGHTH BLOCK"] = "\u2581",
        ["RIGHTWARDS ARROW"] = "\u2192", ["LEFTWARDS ARROW"] = "\u2190", ["MIDDLE DOT"] = "\u00b7", ["BYTE ORDER MARK"] = "\ufeff",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public static string Read(ReadOnlySpan<char> content, int line)
    {
        var text = new StringBuilder();
        for (var at = 0; at < content.Length; at++)
        {
            if (content[at] != '\\' || at + 1 == content.Length)
            {
                text.Append(content[at]);
                continue;
            }
            var kind = content[++at];
            if (s_simple.TryGetValue(kind, out var simple))
                text.Append(simple);
            else if (kind is 'x' or 'u' or 'U')
            {
                var digits = kind switch { 'x' => 2, 'u' => 4, _ => 8 };
                if (at + digits >= content.Length
                    || !uint.TryParse(
                        content.Slice(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                    || code > 0x10ffff)
                    throw new ChatTemplateException($"the escape \\{kind} needs {digits} hexadecimal digits of a character", line);
                AppendCodePoint(text, (int)code);
                at += digits;
            }
            else if (kind is >= '0' and <= '7')
            {
                var (value, digits) = (0, 0);
                while (digits < 3 && at + digits < content.Length && content[at + digits] is >= '0' and <= '7')
                    value = (value * 8) + (content[at + digits++] - '0');
                AppendCodePoint(text, value);
                at += digits - 1;
            }
            else if (kind == 'N')
            {
                var close = content[at..].IndexOf('}');
                if (close < 2 || content[at + 1] != '{')
                    throw new ChatTemplateException("the escape \\N needs a name: \\N{BULLET}", line);
                var name = content.Slice(at + 2, close - 2).ToString();
                text.Append(s_names.GetValueOrDefault(name)
                    ?? throw new ChatTemplateException($"the character name '{name}' is not known here: write it as \\uXXXX", line));
                at += close;
            }
            else
                text.Append('\\').Append(kind);
        }
        return text.ToString();
    }

    private static void AppendCodePoint(StringBuilder text, int code)
    {
        if (code > 0xffff)
            text.Append(char.ConvertFromUtf32(code));
        else
            text.Append((char)code);
    }
}
