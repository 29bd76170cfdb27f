using System.Numerics;
using System.Text;
using MLTransfer.Torch.ChatTemplates.Syntax;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>The methods of Python's <c>str</c>.</summary>
internal static class StringMethods
{
    public static Func<Arguments, object?>? Find(Budget budget, string text, string name)
    {
        Func<BoundArguments, object?>? Plain(Func<string, object?> method) => _ => method(text);
        var (parameters, required, method) = name switch
        {
            "upper" => ([], 0, Plain(Letters.Upper)),
            "lower" or "casefold" => ([], 0, Plain(Letters.Lower)),
            "capitalize" => ([], 0, Plain(Letters.Capitalize)),
            "title" => ([], 0, Plain(Letters.Title)),
            "swapcase" => ([], 0, Plain(SwapCase)),
            "strip" => (["chars"], 0, a => text.Trim(Characters(a))),
            "lstrip" => (["chars"], 0, a => text.TrimStart(Characters(a))),
            "rstrip" => (["chars"], 0, a => text.TrimEnd(Characters(a))),
            "split" => (["sep", "maxsplit"], 0, a => Split(text, a, fromEnd: false)),
            "rsplit" => (["sep", "maxsplit"], 0, a => Split(text, a, fromEnd: true)),
            "splitlines" => (["keepends"], 0, a => SplitLines(text, a.Flag(0))),
            "partition" =>
                (["sep"], 1, a => Partition(text, a.Text(0), text.IndexOf(Separator(a), StringComparison.Ordinal), isLast: false)),
            "rpartition" =>
                (["sep"], 1, a => Partition(text, a.Text(0), text.LastIndexOf(Separator(a), StringComparison.Ordinal), isLast: true)),
            "startswith" =>
                (["prefix", "start", "end"], 1, a => Affixes(a).Any(affix => Part(text, a).StartsWith(affix, StringComparison.Ordinal))),
            "endswith" =>
                (["suffix", "start", "end"], 1, a => Affixes(a).Any(affix => Part(text, a).EndsWith(affix, StringComparison.Ordinal))),
            "removeprefix" => (["prefix"], 1, a => text.StartsWith(a.Text(0), StringComparison.Ordinal) ? text[a.Text(0).Length..] : text),
            "removesuffix" => (["suffix"], 1, a => text.EndsWith(a.Text(0), StringComparison.Ordinal) ? text[..^a.Text(0).Length] : text),
            "replace" => (["old", "new", "count"], 2, a => Replace(budget, text, a.Text(0), a.Text(1), a.Integer(2, -1))),
            "find" => (["sub", "start", "end"], 1, a => (object)new BigInteger(IndexOf(text, a, fromEnd: false))),
            "rfind" => (["sub", "start", "end"], 1, a => (object)new BigInteger(IndexOf(text, a, fromEnd: true))),
            "index" => (["sub", "start", "end"], 1, a => (object)Found(IndexOf(text, a, fromEnd: false))),
            "rindex" => (["sub", "start", "end"], 1, a => (object)Found(IndexOf(text, a, fromEnd: true))),
            "count" => (["sub", "start", "end"], 1, a => (object)new BigInteger(Count(Part(text, a), a.Text(0)))),
            "join" => (["iterable"], 1, a => Join(budget, text, a.Get(0))),
            "isdigit" or "isdecimal" or "isnumeric" => ([], 0, _ => All(text, char.IsDigit)),
            "isalpha" => ([], 0, _ => All(text, char.IsLetter)),
            "isalnum" => ([], 0, _ => All(text, char.IsLetterOrDigit)),
            "isspace" => ([], 0, _ => All(text, Blanks.Is)),
            "islower" => ([], 0, _ => IsLower(text)),
            "isupper" => ([], 0, _ => IsUpper(text)),
            "isascii" => ([], 0, _ => text.All(char.IsAscii)),
            "istitle" => ([], 0, _ => text.Any(char.IsLetter) && Letters.Title(text) == text),
            "zfill" => (["width"], 1, a => ZeroFill(budget, text, a.Integer(0))),
            "center" => (["width", "fillchar"], 1, a => Pad(budget, text, a.Integer(0), Fill(a), '^', isMethod: true)),
            "ljust" => (["width", "fillchar"], 1, a => Pad(budget, text, a.Integer(0), Fill(a), '<')),
            "rjust" => (["width", "fillchar"], 1, a => Pad(budget, text, a.Integer(0), Fill(a), '>')),
            
            _ => ((string[])[], 0, (Func<BoundArguments, object?>?)null),
        };
        if (name == "format")
            return arguments => BraceFormat.Apply(budget, text, arguments);
        return method is null ? null : arguments =>
        {
            budget.Make(text.Length);
            return method(arguments.Bind(name, required, parameters));
        };
    }

    public static string Replace(Budget budget, string text, string old, string replacement, int count)
    {
        if (count < 0)
            count = int.MaxValue;
        var result = new StringBuilder();
        var at = 0;
        if (old.Length == 0)
        {
            var characters = Texts.Split(text);
            for (var index = 0; index <= characters.Count; index++)
            {
                if (count-- > 0)
                    result.Append(replacement);
                budget.Make(result.Length);
                if (index < characters.Count)
                    result.Append(characters[index]);
            }
            return result.ToString();
        }
        while (count-- > 0 && text.IndexOf(old, at, StringComparison.Ordinal) is >= 0 and var found)
        {
            result.Append(text, at, found - at).Append(replacement);
            budget.Step();
            if (result.Length > TemplateLimits.Size)
                budget.Make(result.Length);
            at = found + old.Length;
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    public static string Pad(Budget budget, string text, int width, string fill, char alignment, bool isMethod = false)
    {
        budget.Make(Math.Max(0, width));
        var missing = Math.Max(0, width - Texts.Length(text));
        // Python's method puts the odd blank to the left of texts of odd widths, its format to the right.
        var left = alignment switch
        {
            '<' => 0,
            '>' => missing,
            _ => (missing / 2) + (isMethod ? missing & width & 1 : 0),
        };
        return string.Concat(Enumerable.Repeat(fill, left)) + text + string.Concat(Enumerable.Repeat(fill, missing - left));
    }

    public static string Join(Budget budget, string separator, object? items)
    {
        var result = new StringBuilder();
        var index = 0;
        foreach (var item in Iteration.Over(items))
        {
            var text = Texts.TryGet(item)
                ?? throw new ChatTemplateException($"join() needs texts; item {index} is of type '{TypeName.Of(item)}'");
            budget.Step();
            if (result.Length + text.Length > TemplateLimits.Size)
                budget.Make((long)result.Length + text.Length);
            if (index++ > 0)
                result.Append(separator);
            result.Append(text);
        }
        return result.ToString();
    }

    public static bool IsLower(string text) => text.Any(char.IsLower) && !text.Any(char.IsUpper);

    public static bool IsUpper(string text) => text.Any(char.IsUpper) && !text.Any(char.IsLower);

    private static string SwapCase(string text) => string.Concat(text.Select(
        value => char.IsUpper(value) ? Letters.Lower(value.ToString()) : Letters.Upper(value.ToString())));

    private static char[] Characters(BoundArguments arguments) =>
        arguments.Get(0) is null ? Blanks.All : arguments.Text(0).Length == 0 ? ['\uffff'] : arguments.Text(0).ToCharArray();

    private static string Fill(BoundArguments arguments) => arguments.Text(1, " ") is var fill && Texts.Length(fill) == 1
        ? fill : throw new ChatTemplateException("the fill character must be one character");

    private static string Separator(BoundArguments arguments) => arguments.Text(0) is { Length: > 0 } separator
        ? separator : throw new ChatTemplateException("empty separator");

    private static IEnumerable<string> Affixes(BoundArguments arguments) => arguments.Get(0) is TupleValue tuple
        ? tuple.Items.Select(item => Texts.TryGet(item) ?? throw new ChatTemplateException("a prefix or suffix is a text"))
            : [arguments.Text(0)];

    private static bool All(string text, Func<char, bool> holds) => text.Length > 0 && text.All(holds);

    // Between the arguments "start" and "end", which count code points.
    private static string Part(string text, BoundArguments arguments) => !arguments.Has(1) && !arguments.Has(2) ? text
        : string.Concat(Texts.Split(text) is var characters && Bounds(characters.Count, arguments) is var (start, end)
            ? characters.Skip(start).Take(Math.Max(0, end - start)) : []);

    private static (int Start, int End) Bounds(int count, BoundArguments arguments)
    {
        int Clip(int index, int otherwise) => arguments.Get(index) is null ? otherwise
            : Math.Clamp(arguments.Integer(index) is var value && value < 0 ? value + count : value, 0, count);
        return (Clip(1, 0), Clip(2, count));
    }

    private static int IndexOf(string text, BoundArguments arguments, bool fromEnd)
    {
        var part = Part(text, arguments);
        var found = fromEnd ? part.LastIndexOf(arguments.Text(0), StringComparison.Ordinal)
            : part.IndexOf(arguments.Text(0), StringComparison.Ordinal);
        return found < 0 ? -1 : Texts.Length(part[..found]) + (arguments.Has(1) ? Bounds(Texts.Length(text), arguments).Start : 0);
    }

    private static BigInteger Found(int index) =>
        index >= 0 ? new BigInteger(index) : throw new ChatTemplateException("the text to find is not there");

    private static int Count(string text, string part)
    {
        if (part.Length == 0)
            return Texts.Length(text) + 1;
        var count = 0;
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at =
            text.IndexOf(part, at + part.Length, StringComparison.Ordinal))
            count++;
        return count;
    }

    private static TupleValue Partition(string text, string separator, int found, bool isLast) => found >= 0
        ? new([text[..found], separator, text[(found + separator.Length)..]]) : new(isLast ? ["", "", text] : [text, "", ""]);

    private static ListValue Split(string text, BoundArguments arguments, bool fromEnd)
    {
        var limit = arguments.Integer(1, -1);
        var left = limit < 0 ? int.MaxValue : limit;
        var parts = new List<object?>();
        if (arguments.Get(0) is null)
        {
            SplitAtBlanks(text, left, fromEnd, parts);
            return new(parts);
        }
        var separator = Separator(arguments);
        if (fromEnd)
        {
            var end = text.Length;
            for (; left-- > 0 && end >= separator.Length
                && text.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var at;
                end = at)
                parts.Add(text[(at + separator.Length)..end]);
            parts.Add(text[..end]);
            parts.Reverse();
            return new(parts);
        }
        var start = 0;
        for (; left-- > 0 && text.IndexOf(separator, start, StringComparison.Ordinal) is >= 0 and var at; start = at + separator.Length)
            parts.Add(text[start..at]);
        parts.Add(text[start..]);
        return new(parts);
    }

    private static void SplitAtBlanks(string text, int left, bool fromEnd, List<object?> parts)
    {
        var rest = fromEnd ? text.AsSpan().TrimEnd(Blanks.Span) : text.AsSpan().TrimStart(Blanks.Span);
        while (!rest.IsEmpty)
        {
            var at = fromEnd ? rest.LastIndexOfAny(Blanks.Search) : rest.IndexOfAny(Blanks.Search);
            if (at < 0 || left-- <= 0)
            {
                parts.Add(rest.ToString());
                break;
            }
            parts.Add((fromEnd ? rest[(at + 1)..] : rest[..at]).ToString());
            rest = fromEnd ? rest[..at].TrimEnd(Blanks.Span) : rest[at..].TrimStart(Blanks.Span);
        }
        if (fromEnd)
            parts.Reverse();
    }

    private static ListValue SplitLines(string text, bool keepsEnds)
    {
        var lines = new List<object?>();
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            while (end < text.Length
                && text[end] is not ('\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029'))
                end++;
            var next = end == text.Length ? end : end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
            lines.Add(text[start..(keepsEnds ? next : end)]);
            start = next;
        }
        return new(lines);
    }

    private static string ZeroFill(Budget budget, string text, int width)
    {
        var sign = text.Length > 0 && text[0] is '+' or '-' ? 1 : 0;
        return text[..sign] + Pad(budget, text[sign..], width - sign, "0", '>');
    }
}
