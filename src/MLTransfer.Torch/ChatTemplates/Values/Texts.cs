using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Texts as Python sees them, in code points, and how values are written.</summary>
internal static class Texts
{
    public static string? TryGet(object? value) => value switch
    {
        string text => text,
        SafeText safe => safe.Text,
        _ => null,
    };

    public static int Length(string text)
    {
        var count = text.Length;
        for (var index = 1; index < text.Length; index++)
        {
            if (char.IsSurrogatePair(text[index - 1], text[index]))
                count--;
        }
        return count;
    }

    /// <summary>The characters, each a text.</summary>
    public static List<string> Split(string text)
    {
        var characters = new List<string>(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            var isPair = index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1]);
            characters.Add(isPair ? text.Substring(index++, 2) : text[index].ToString());
        }
        return characters;
    }

    /// <summary>By code points: a surrogate stands for more than any other unit.</summary>
    public static int Compare(string left, string right)
    {
        for (var index = 0; index < Math.Min(left.Length, right.Length); index++)
        {
            var (x, y) = (left[index], right[index]);
            if (x != y)
                return char.IsSurrogate(x) == char.IsSurrogate(y) ? x.CompareTo(y) : char.IsSurrogate(x) ? 1 : -1;
        }
        return left.Length.CompareTo(right.Length);
    }

    /// <summary>Python's <c>str</c>.</summary>
    public static string Write(object? value) => TryGet(value) ?? (value is Undefined ? "" : Represent(value));

    /// <summary>Python's <c>repr</c>.</summary>
    public static string Represent(object? value)
    {
        var text = new StringBuilder();
        Represent(value, text);
        return text.ToString();
    }

    private static void Represent(object? value, StringBuilder text)
    {
        NestingGuard.Check();
        if (text.Length > TemplateLimits.Size)
            throw new ChatTemplateException($"a text has more than {TemplateLimits.Size} characters");
        switch (value)
        {
            case null:
                text.Append("None");
                break;
            case bool flag:
                text.Append(flag ? "True" : "False");
                break;
            case double number:
                text.Append(Numbers.Write(number));
                break;
            case string content:
                Quote(content, text);
                break;
            case SafeText safe:
                text.Append("Markup(");
                Quote(safe.Text, text);
                text.Append(')');
                break;
            case RangeValue range:
                text.Append(range.Description);
                break;
            case DictionaryView view:
                text.Append(view.Kind).Append('(');
                Represent(view.Items, text, "[", "]");
                text.Append(')');
                break;
            case TupleValue tuple:
                Represent(tuple.Items, text, "(", tuple.Items.Count == 1 ? ",)" : ")");
                break;
            case ListValue list:
                Represent(list.Items, text, "[", "]");
                break;
            case DictionaryValue dictionary:
                Represent(dictionary, text);
                break;
            case NamespaceValue space:
                text.Append("<Namespace ");
                Represent(space.Attributes, text);
                text.Append('>');
                break;
            case System.Numerics.BigInteger number:
                text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            default:
                text.Append(value is Undefined ? "Undefined" : $"<{TypeName.Of(value)} object>");
                break;
        }
    }

    private static void Represent(IReadOnlyList<object?> items, StringBuilder text, string open, string close)
    {
        text.Append(open);
        for (var index = 0; index < items.Count; index++)
        {
            if (index > 0)
                text.Append(", ");
            Represent(items[index], text);
        }
        text.Append(close);
    }

    private static void Represent(DictionaryValue dictionary, StringBuilder text)
    {
        text.Append('{');
        var separator = "";
        foreach (var (key, value) in dictionary.Items)
        {
            text.Append(separator);
            Represent(key, text);
            text.Append(": ");
            Represent(value, text);
            separator = ", ";
        }
        text.Append('}');
    }

    private static void Quote(string content, StringBuilder text)
    {
        var quote = content.Contains('\'', StringComparison.Ordinal) && !content.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        foreach (var character in Split(content))
        {
            var code = character.Length == 2 ? char.ConvertToUtf32(character[0], character[1]) : character[0];
            if (code == quote || code == '\\')
                text.Append('\\').Append((char)code);
            else if (code is '\n' or '\r' or '\t')
                text.Append(code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t");
            else if (IsPrintable(character, code))
                text.Append(character);
            else
                text.Append(code <= 0xff ? $"\\x{code:x2}" : code <= 0xffff ? $"\\u{code:x4}" : $"\\U{code:x8}");
        }
        text.Append(quote);
    }

    private static bool IsPrintable(string character, int code) => code == ' '
        || CharUnicodeInfo.GetUnicodeCategory(character, 0) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
