using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Python's <c>str.format</c>.</summary>
internal static partial class BraceFormat
{
    public static string Apply(Budget budget, string format, Arguments arguments)
    {
        var (result, automatic) = (new StringBuilder(), 0);
        for (var at = 0; at < format.Length; at++)
        {
            var current = format[at];
            if (current is '{' or '}' && at + 1 < format.Length && format[at + 1] == current)
                at++;
            else if (current == '}')
                throw new ChatTemplateException("a single '}' stands in a format");
            else if (current == '{')
            {
                var close = format.IndexOf('}', at);
                if (close < 0)
                    throw new ChatTemplateException("a '{' of a format is not closed");
                result.Append(Field(budget, format[(at + 1)..close], arguments, ref automatic));
                budget.Make(result.Length);
                at = close;
                continue;
            }
            result.Append(current);
        }
        return result.ToString();
    }

    [GeneratedRegex(@"\A(?<name>[^.\[!:]*)(?<path>(\.[^.\[!:]+|\[[^\]]+\])*)(!(?<conversion>[rsa]))?(:(?<form>.*))?\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex FieldPattern { get; }

    [GeneratedRegex(@"\.(?<attribute>[^.\[]+)|\[(?<item>[^\]]+)\]", RegexOptions.ExplicitCapture)]
    private static partial Regex StepPattern { get; }

    [GeneratedRegex(
        @"\A((?<fill>.)?(?<align>[<>^=]))?(?<sign>[+ -])?"
            + @"(?<zero>0)?(?<width>\d{1,7})?(?<comma>,)?(\.(?<precision>\d{1,7}))?(?<kind>[a-zA-Z%])?\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex FormPattern { get; }

    private static string Field(Budget budget, string field, Arguments arguments, ref int automatic)
    {
        var match = FieldPattern.Match(field);
        if (!match.Success)
            throw new ChatTemplateException($"the field '{{{field}}}' of a format is not understood");
        var name = match.Groups["name"].Value;
        object? value;
        if (name.Length == 0 || int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            var index = name.Length == 0 ? automatic++ : int.Parse(name, CultureInfo.InvariantCulture);
            value = index < arguments.Positional.Count ? arguments.Positional[index]
                : throw new ChatTemplateException($"the format needs a value {index}");
        }
        else
            value = arguments.Named.TryGetValue(name, out var named) ? named
                : throw new ChatTemplateException($"the format needs a value '{name}'");
        foreach (Match step in StepPattern.Matches(match.Groups["path"].Value))
        {
            var item = step.Groups["item"].Value;
            value = step.Groups["attribute"].Success ? Members.Attribute(budget, value, step.Groups["attribute"].Value)
                : Members.Item(
                    budget, value, BigInteger.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index
                        : item);
        }
        if (match.Groups["conversion"].Success)
            value = match.Groups["conversion"].Value == "s" ? Texts.Write(value) : Texts.Represent(value);
        return Form(budget, value, match.Groups["form"].Value);
    }

    private static string Form(Budget budget, object? value, string form)
    {
        var match = FormPattern.Match(form);
        if (!match.Success)
            throw new ChatTemplateException($"the format '{form}' is not understood");
        string Part(string name) => match.Groups[name].Value;
        int? Number(string name) => match.Groups[name].Success ? int.Parse(Part(name), CultureInfo.InvariantCulture) : null;
        var isNumber = Numbers.Is(value) && !(value is bool && Part("kind").Length == 0);
        string text;
        if (isNumber && (Part("kind") is not ("s" or "") || Number("precision") is not null))
            text = NumberFormat.Write(budget, value, Part("kind") is "" ? 'g' : Part("kind")[0], Number("precision"));
        else
        {
            text = Texts.Write(value);
            if (!isNumber && Number("precision") is { } most && most < Texts.Length(text))
                text = string.Concat(Texts.Split(text).Take(most));
        }
        if (isNumber && Part("comma").Length > 0)
            text = WithCommas(text);
        if (isNumber && text[0] != '-' && Part("sign") is "+" or " ")
            text = Part("sign") + text;
        var isZero = Part("zero").Length > 0 && Part("align").Length == 0;
        var align = isZero ? '=' : Part("align") is { Length: > 0 } given ? given[0] : isNumber ? '>' : '<';
        var fill = isZero ? "0" : Part("fill") is { Length: > 0 } filling ? filling : " ";
        if (align != '=')
            return StringMethods.Pad(budget, text, Number("width") ?? 0, fill, align);
        var sign = text.Length > 0 && text[0] is '-' or '+' ? text[..1] : "";
        return sign + StringMethods.Pad(budget, text[sign.Length..], (Number("width") ?? 0) - sign.Length, fill, '>');
    }

    private static string WithCommas(string text)
    {
        var end = text.AsSpan().IndexOfAny('.', 'e') is >= 0 and var found ? found : text.Length;
        for (var at = end - 3; at > (text[0] == '-' ? 1 : 0); at -= 3)
            text = text.Insert(at, ",");
        return text;
    }
}
