using System.Globalization;
using System.Numerics;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Python's numbers: integers of any length (bounded), floats, and booleans, which are 0 and 1.</summary>
internal static class Numbers
{
    public static bool Is(object? value) => value is bool or BigInteger or double;

    public static double ToDouble(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        BigInteger number => (double)number,
        _ => (double)value!,
    };

    public static BigInteger? ToInteger(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        BigInteger number => number,
        _ => null,
    };

    public static int? Compare(object? left, object? right)
    {
        if (ToInteger(left) is { } first && ToInteger(right) is { } second)
            return first.CompareTo(second);
        var (x, y) = (ToDouble(left), ToDouble(right));
        return double.IsNaN(x) || double.IsNaN(y) ? null : x.CompareTo(y);
    }

    public static BigInteger Bounded(BigInteger value) => value.GetBitLength() <= TemplateLimits.IntegerBits
        ? value : throw new ChatTemplateException($"an integer has more than {TemplateLimits.IntegerBits} bits");

    public static object Apply(string operation, object? left, object? right)
    {
        if (ToInteger(left) is { } first && ToInteger(right) is { } second)
        {
            if (operation is "/" or "//" or "%" && second.IsZero)
                throw new ChatTemplateException("division by zero");
            return operation switch
            {
                "+" => Bounded(first + second),
                "-" => Bounded(first - second),
                "*" => Bounded(first * second),
                "/" => (double)first / (double)second,
                "//" => FloorDivide(first, second),
                "%" => first - (FloorDivide(first, second) * second),
                _ => Power(first, second),
            };
        }
        var (x, y) = (ToDouble(left), ToDouble(right));
        if (operation is "/" or "//" or "%" && y == 0)
            throw new ChatTemplateException("division by zero");
        return operation switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "/" => x / y,
            "//" => Math.Floor(x / y),
            "%" => FloorRemainder(x, y),
            _ => x < 0 && y != Math.Floor(y) ? throw new ChatTemplateException("complex numbers are not supported") : Math.Pow(x, y),
        };
    }

    /// <summary>The shortest digits that give the number again, written as Python does.</summary>
    public static string Write(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var sign = text[0] == '-' ? "-" : "";
        var exponent = value == 0 ? 0
            : int.Parse(text.AsSpan(text.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = shortest.Split('E')[0].TrimStart('-').Replace(".", "", StringComparison.Ordinal).TrimStart('0');
        var digits = mantissa.TrimEnd('0');
        if (digits.Length == 0)
            digits = "0";
        // Rounding to 17 digits can carry into the next power of ten; the shortest digits tell the true one.
        if (shortest.Contains('E', StringComparison.Ordinal))
            exponent = int.Parse(shortest.AsSpan(shortest.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        return digits.Length <= exponent + 1
            ? $"{sign}{digits}{new string('0', exponent + 1 - digits.Length)}.0"
                : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    private static BigInteger FloorDivide(BigInteger left, BigInteger right)
    {
        var quotient = BigInteger.DivRem(left, right, out var remainder);
        return !remainder.IsZero && remainder.Sign != right.Sign ? quotient - 1 : quotient;
    }

    private static double FloorRemainder(double left, double right)
    {
        var remainder = left % right;
        return remainder != 0 && remainder < 0 != right < 0 ? remainder + right : remainder;
    }

    private static object Power(BigInteger value, BigInteger exponent)
    {
        if (exponent.Sign < 0)
            return value.IsZero ? throw new ChatTemplateException("division by zero") : Math.Pow((double)value, (double)exponent);
        if (value.IsZero || value.IsOne || value == BigInteger.MinusOne)
            return exponent.IsZero ? BigInteger.One : value.Sign >= 0 ? value : exponent.IsEven ? BigInteger.One : value;
        return exponent * (value.GetBitLength() - 1) > TemplateLimits.IntegerBits || exponent > TemplateLimits.IntegerBits
            ? throw new ChatTemplateException($"an integer has more than {TemplateLimits.IntegerBits} bits")
            : Bounded(BigInteger.Pow(value, (int)exponent));
    }
}
