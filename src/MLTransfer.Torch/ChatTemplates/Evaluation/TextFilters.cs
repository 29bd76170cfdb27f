using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using MLTransfer.Torch.ChatTemplates.Syntax;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Filters that give texts.</summary>
internal static partial class TextFilters
{
    public static IEnumerable<KeyValuePair<string, Filter>> All => new Dictionary<string, Filter>
    {
        ["upper"] = Plain(Letters.Upper),
        ["lower"] = Plain(Letters.Lower),
        ["capitalize"] = Plain(Letters.Capitalize),
        ["title"] = Plain(text => WordPattern.Replace(text, match => Letters.Capitalize(match.Value))),
        ["trim"] = (_, value, arguments) => arguments.Bind("trim", 0, "chars") is var a && a.Get(0) is null
            ? Texts.Write(value).Trim(Blanks.All) : Texts.Write(value).Trim(a.Text(0).ToCharArray()),
        ["string"] = (_, value, _) => value is SafeText ? value : Texts.Write(value),
        ["safe"] = (_, value, _) => new SafeText(Texts.Write(value)),
        ["escape"] = (_, value, _) => value is SafeText ? value : new SafeText(SafeText.Escape(Texts.Write(value))),
        ["e"] = (_, value, _) => value is SafeText ? value : new SafeText(SafeText.Escape(Texts.Write(value))),
        ["forceescape"] = (_, value, _) => new SafeText(SafeText.Escape(Texts.Write(value))),
        ["replace"] = (evaluator, value, arguments) => arguments.Bind("replace", 2, "old", "new", "count") is var a
            ? StringMethods.Replace(
                evaluator.Budget, Texts.Write(value), Texts.Write(a.Get(0)), Texts.Write(a.Get(1)), a.Get(2) is null ? -1 : a.Integer(2))
            : null,
        ["join"] = Join,
        ["indent"] = Indent,
        ["center"] = (evaluator, value, arguments) =>
            StringMethods.Pad(
                evaluator.Budget, Texts.Write(value), arguments.Bind("center", 0, "width").Integer(0, 80), " ", '^', isMethod: true),
        ["format"] = (evaluator, value, arguments) => PercentFormat.Apply(
            evaluator.Budget, Texts.Write(value), arguments.Named.Count > 0 ? Named(arguments) : new TupleValue(arguments.Positional)),
        ["striptags"] =
            Plain(text => string.Join(' ', TagPattern.Replace(text, "").Split(Blanks.All, StringSplitOptions.RemoveEmptyEntries))),
        ["truncate"] = Truncate,
        ["urlencode"] = UrlEncode,
        ["wordcount"] = (_, value, _) => new BigInteger(WordCountPattern.Count(Texts.Write(value))),
        ["pprint"] = (_, value, _) => Texts.Represent(value),
        ["tojson"] = ToJson,
        ["filesizeformat"] = FileSize,
    };

    [GeneratedRegex(@"[^\-\s({\[<]+")]
    private static partial Regex WordPattern { get; }

    [GeneratedRegex(@"<!--.*?-->|<[^>]*>", RegexOptions.Singleline)]
    private static partial Regex TagPattern { get; }

    [GeneratedRegex(@"\w+")]
    private static partial Regex WordCountPattern { get; }

    private static Filter Plain(Func<string, object?> filter) => (_, value, _) => filter(Texts.Write(value));

    private static DictionaryValue Named(Arguments arguments)
    {
        var values = new DictionaryValue();
        foreach (var (name, value) in arguments.Named)
            values.Set(name, value);
        return values;
    }

    private static string Join(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("join", 0, "d", "attribute");
        var items = bound.Get(1) is null ? Iteration.Over(value)
            : Iteration.Over(value).Select(item => SelectionFilters.Attribute(evaluator, item, bound.Get(1)));
        return StringMethods.Join(evaluator.Budget, Texts.Write(bound.Get(0, "")), new ListValue([.. items.Select(Texts.Write)]));
    }

    private static string Indent(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("indent", 0, "width", "first", "blank");
        evaluator.Budget.Make(Texts.TryGet(bound.Get(0)) is null ? bound.Integer(0, 4) : 0);
        var indent = Texts.TryGet(bound.Get(0)) ?? new string(' ', Math.Max(0, bound.Integer(0, 4)));
        var lines = Texts.Write(value).Split('\n');
        evaluator.Budget.Make((long)lines.Length * indent.Length);
        return string.Join('\n', lines.Select((line, index) =>
            (index == 0 ? bound.Flag(1) : line.Length > 0 || bound.Flag(2)) ? indent + line : line));
    }

    private static string Truncate(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("truncate", 0, "length", "killwords", "end", "leeway");
        var (text, length, end) = (Texts.Write(value), bound.Integer(0, 255), bound.Text(2, "..."));
        evaluator.Budget.Make(text.Length);
        var characters = Texts.Split(text);
        if (length < Texts.Length(end))
            throw new ChatTemplateException("truncate() needs a length that its end fits into");
        if (characters.Count <= length + bound.Integer(3, 5))
            return text;
        var cut = string.Concat(characters.Take(length - Texts.Length(end)));
        return (bound.Flag(1) || cut.LastIndexOf(' ') < 0 ? cut : cut[..cut.LastIndexOf(' ')]) + end;
    }

    private static string UrlEncode(Evaluator evaluator, object? value, Arguments arguments)
    {
        if (Texts.TryGet(value) is not null || value is not (DictionaryValue or SequenceValue))
            return Quote(Texts.Write(value), "/");
        var pairs = value is DictionaryValue dictionary ? dictionary.Items
            : Iteration.Over(value).Select(item => Iteration.ToList(evaluator.Budget, item) is [var key, var content] ? (key, content)
                : throw new ChatTemplateException("urlencode needs pairs"));
        return string.Join('&', pairs.Select(pair => $"{Query(pair.Item1)}={Query(pair.Item2)}"));

        static string Query(object? part) => Quote(Texts.Write(part), "").Replace("%20", "+", StringComparison.Ordinal);
    }

    private static string Quote(string text, string kept)
    {
        var result = new StringBuilder();
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)unit) || "_.-~".Contains((char)unit) || kept.Contains((char)unit))
                result.Append((char)unit);
            else
                result.Append(CultureInfo.InvariantCulture, $"%{unit:X2}");
        }
        return result.ToString();
    }

    private static string ToJson(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        var indent = bound.Get(1) is null ? null
            : Texts.TryGet(bound.Get(1)) ?? new string(' ', Math.Clamp(bound.Integer(1), 0, 1_000));
        var (item, key) = (indent is null ? ", " : ",", ": ");
        if (bound.Get(2) is { } separators)
        {
            (item, key) = Iteration.ToList(evaluator.Budget, separators) is [string first, string second] ? (first, second)
                : throw new ChatTemplateException("the separators of tojson() are two texts");
        }
        var text = new JsonText(bound.Flag(0), indent, item, key, bound.Flag(3)).Write(value);
        evaluator.Budget.Make(text.Length);
        return text;
    }

    private static string FileSize(Evaluator evaluator, object? value, Arguments arguments)
    {
        var isBinary = arguments.Bind("filesizeformat", 0, "binary").Flag(0);
        var bytes = Numbers.Is(value) ? Numbers.ToDouble(value) : throw new ChatTemplateException("filesizeformat needs a number");
        var step = isBinary ? 1024 : 1000;
        if (bytes == 1)
            return "1 Byte";
        if (bytes < step)
            return $"{NumberFormat.Fixed(Math.Truncate(bytes), 0)} Bytes";
        var (units, unit) = ("kMGTPEZY", 0);
        for (bytes /= step; bytes >= step && unit < units.Length - 1; unit++)
            bytes /= step;
        return $"{NumberFormat.Fixed(bytes, 1)} {(isBinary ? $"{char.ToUpperInvariant(units[unit])}i" : units[unit])}B";
    }
}
