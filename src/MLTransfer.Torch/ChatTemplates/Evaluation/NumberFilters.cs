using System.Globalization;
using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Syntax;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Filters that give numbers.</summary>
internal static class NumberFilters
{
    public static IEnumerable<KeyValuePair<string, Filter>> All => new Dictionary<string, Filter>
    {
        ["abs"] = (_, value, _) => value is Undefined undefined ? throw undefined.Error()
            : value is double number ? Math.Abs(number)
            : Numbers.ToInteger(value) is { } integer ? BigInteger.Abs(integer) : throw new ChatTemplateException("abs needs a number"),
        ["int"] = (_, value, arguments) => Integer(value, arguments.Bind("int", 0, "default", "base")),
        ["float"] = (_, value, arguments) => value is Undefined undefined ? throw undefined.Error()
            : Numbers.Is(value) ? Numbers.ToDouble(value)
            : Float(Texts.TryGet(value)) ?? arguments.Bind("float", 0, "default").Get(0, 0.0),
        ["round"] = Round,
    };

    private static object? Integer(object? value, BoundArguments arguments)
    {
        var otherwise = arguments.Get(0, BigInteger.Zero);
        switch (value)
        {
            case Undefined undefined:
                throw undefined.Error();
            case double number:
                return double.IsFinite(number) ? NumberFormat.Truncate(number) : otherwise;
            case bool or BigInteger:
                return Numbers.ToInteger(value);
        }
        if (Texts.TryGet(value)?.Trim(Blanks.All) is not { Length: > 0 and < 4_000 } text)
            return otherwise;
        var radix = arguments.Integer(1, 10);
        if (radix == 10 && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
            return integer;
        if (radix is 2 or 8 or 16)
        {
            var digits = text.ToLowerInvariant();
            var isNegative = digits[0] == '-';
            digits = digits.TrimStart('-', '+');
            var prefix = radix switch { 2 => "0b", 8 => "0o", _ => "0x" };
            digits = digits.StartsWith(prefix, StringComparison.Ordinal) ? digits[2..] : digits;
            if (digits.Length > 0 && digits.All(digit => char.IsAsciiHexDigit(digit) && Digit(digit) < radix))
            {
                var total = digits.Aggregate(BigInteger.Zero, (sum, digit) => (sum * radix) + Digit(digit));
                return isNegative ? -total : total;
            }
        }
        return Float(text) is { } parsed && double.IsFinite(parsed) ? NumberFormat.Truncate(parsed) : otherwise;
    }

    private static int Digit(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : digit - 'a' + 10;

    private static double? Float(string? text) => text?.Trim(Blanks.All).ToLowerInvariant() switch
    {
        null => null,
        "inf" or "+inf" or "infinity" or "+infinity" => double.PositiveInfinity,
        "-inf" or "-infinity" => double.NegativeInfinity,
        "nan" or "+nan" or "-nan" => double.NaN,
        var number => double.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out var value) ? value : null,
    };

    private static object? Round(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("round", 0, "precision", "method");
        var (precision, method) = (bound.Integer(0), bound.Text(1, "common"));
        if (value is Undefined undefined)
            throw undefined.Error();
        if (!Numbers.Is(value) || method is not ("common" or "ceil" or "floor") || Math.Abs((long)precision) > NumberFormat.MostDigits)
            throw new ChatTemplateException("round needs a number, a small precision, and 'common', 'ceil' or 'floor'");
        if (method == "common" && Numbers.ToInteger(value) is { } integer)
        {
            if (precision >= 0)
                return integer;
            var unit = BigInteger.Pow(10, -precision);
            var quotient = (BigInteger)Numbers.Apply("//", integer, unit);
            var order = ((integer - (quotient * unit)) * 2).CompareTo(unit);
            return (order > 0 || (order == 0 && !quotient.IsEven) ? quotient + 1 : quotient) * unit;
        }
        var number = Numbers.ToDouble(value);
        if (!double.IsFinite(number))
            return number;
        var scale = Math.Pow(10, precision);
        return method switch
        {
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ when precision < 0 => Math.Round(number * scale, MidpointRounding.ToEven) / scale,
            _ => double.Parse(NumberFormat.Fixed(number, precision), NumberStyles.Float, CultureInfo.InvariantCulture),
        };
    }
}
