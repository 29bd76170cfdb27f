using System.Text;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Python's <c>'%s' % values</c>.</summary>
internal static class PercentFormat
{
    public static string Apply(Budget budget, string format, object? values)
    {
        var items = values is TupleValue tuple ? tuple.Items : [values];
        var (result, used) = (new StringBuilder(), 0);
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                result.Append(format[at]);
                continue;
            }
            char Next() => ++at < format.Length ? format[at] : throw new ChatTemplateException("a format ends within a conversion");
            object? Take() =>
                used < items.Count ? items[used++] : throw new ChatTemplateException("there are fewer values than the format needs");
            object? value = BoundArguments.Missing;
            var flags = "";
            var current = Next();
            if (current == '(')
            {
                var close = format.IndexOf(')', at);
                if (close < 0 || values is not DictionaryValue dictionary)
                    throw new ChatTemplateException("a format with names needs a dictionary");
                var key = format[(at + 1)..close];
                value = dictionary.TryGet(key, out var found) ? found
                    : throw new ChatTemplateException($"the format's key '{key}' is not given");
                used = items.Count;
                at = close;
                current = Next();
            }
            for (; current is '-' or '+' or ' ' or '#' or '0'; current = Next())
                flags += current;
            var width = 0;
            for (; char.IsAsciiDigit(current); current = Next())
                width = Math.Min(TemplateLimits.Size + 1, (width * 10) + (current - '0'));
            int? precision = null;
            if (current == '.')
            {
                precision = 0;
                for (current = Next(); char.IsAsciiDigit(current); current = Next())
                    precision = Math.Min(TemplateLimits.Size, (precision.Value * 10) + (current - '0'));
            }
            if (current == '%')
            {
                result.Append('%');
                continue;
            }
            var text = Convert(budget, value == BoundArguments.Missing ? Take() : value, current, flags, precision);
            var isZero = flags.Contains('0', StringComparison.Ordinal) && current is not ('s' or 'r' or 'a' or 'c');
            var sign = isZero && text.Length > 0 && text[0] is '-' or '+' ? text[..1] : "";
            budget.Make(result.Length + (long)width);
            result.Append(flags.Contains('-', StringComparison.Ordinal) ? StringMethods.Pad(budget, text, width, " ", '<')
                : isZero ? sign + StringMethods.Pad(budget, text[sign.Length..], width - sign.Length, "0", '>')
                : StringMethods.Pad(budget, text, width, " ", '>'));
        }
        if (used < items.Count && (values is TupleValue || Texts.TryGet(values) is not null || Numbers.Is(values)))
            throw new ChatTemplateException("there are more values than the format needs");
        return result.ToString();
    }

    private static string Convert(Budget budget, object? value, char kind, string flags, int? precision)
    {
        switch (kind)
        {
            case 's' or 'r' or 'a':
                var text = kind == 's' ? Texts.Write(value) : Texts.Represent(value);
                return precision is { } most && most < Texts.Length(text) ? string.Concat(Texts.Split(text).Take(most)) : text;
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o' or 'f' or 'F' or 'e' or 'E' or 'g' or 'G':
                var number = NumberFormat.Write(budget, value, kind, precision);
                return number[0] != '-' && flags.Contains('+', StringComparison.Ordinal) ? "+" + number
                    : number[0] != '-' && flags.Contains(' ', StringComparison.Ordinal) ? " " + number : number;
            default:
                throw new ChatTemplateException($"the conversion '%{kind}' is unknown");
        }
    }
}
