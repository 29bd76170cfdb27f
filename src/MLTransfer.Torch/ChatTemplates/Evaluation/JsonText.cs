using System.Numerics;
using System.Text;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Python's <c>json.dumps</c>.</summary>
internal sealed class JsonText(bool isAscii, string? indent, string itemSeparator, string keySeparator, bool sortsKeys)
{
    private readonly StringBuilder _text = new();

    public string Write(object? value)
    {
        Write(value, 1);
        return _text.ToString();
    }

    private void Write(object? value, int level)
    {
        NestingGuard.Check();
        if (_text.Length > TemplateLimits.Size)
            throw new ChatTemplateException($"a text has more than {TemplateLimits.Size} characters");
        switch (value)
        {
            case null or bool or BigInteger or double:
                _text.Append(Scalar(value));
                break;
            case string or SafeText:
                Quote(Texts.TryGet(value)!);
                break;
            case ListValue or TupleValue:
                var items = ((SequenceValue)value).Items;
                Write('[', ']', items.Count, level, items.Select(item => (Action)(() => Write(item, level + 1))));
                break;
            case DictionaryValue dictionary:
                Write(dictionary, level);
                break;
            default:
                throw new ChatTemplateException($"a value of type '{TypeName.Of(value)}' cannot be written as JSON");
        }
    }

    private void Write(DictionaryValue dictionary, int level)
    {
        List<(object? Key, object? Value)> items = [.. dictionary.Items];
        if (sortsKeys)
            items = Ordering.Sort(items, item => item.Key, isDescending: false);
        Write('{', '}', items.Count, level, items.Select(item => (Action)(() =>
        {
            Quote(Texts.TryGet(item.Key) ?? (item.Key is null or bool or BigInteger or double ? Scalar(item.Key)
                : throw new ChatTemplateException($"a key of type '{TypeName.Of(item.Key)}' cannot be written as JSON")));
            _text.Append(keySeparator);
            Write(item.Value, level + 1);
        })));
    }

    private void Write(char open, char close, int count, int level, IEnumerable<Action> items)
    {
        _text.Append(open);
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst)
                _text.Append(itemSeparator);
            NewLine(level);
            item();
            isFirst = false;
        }
        if (count > 0)
            NewLine(level - 1);
        _text.Append(close);
    }

    private void NewLine(int level)
    {
        if (indent is null)
            return;
        if ((long)indent.Length * level > TemplateLimits.Size)
            throw new ChatTemplateException("the indent of a JSON text is too long");
        _text.Append('\n').Insert(_text.Length, indent, level);
    }

    private static string Scalar(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        double number when !double.IsFinite(number) => double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity",
        _ => Texts.Represent(value),
    };

    private void Quote(string content)
    {
        _text.Append('"');
        foreach (var unit in content)
        {
            var escape = unit switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)unit:x4}",
                > '\x7f' when isAscii => $"\\u{(int)unit:x4}",
                _ => null,
            };
            _ = escape is null ? _text.Append(unit) : _text.Append(escape);
        }
        _text.Append('"');
    }
}
