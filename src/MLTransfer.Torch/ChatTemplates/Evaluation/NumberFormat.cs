using System.Globalization;
using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Numbers in a given form, exact and half to even.</summary>
internal static class NumberFormat
{
    public const int MostDigits = 400;

    public static string Fixed(double value, int digits)
    {
        if (!double.IsFinite(value))
            return Numbers.Write(value);
        if (digits > MostDigits)
            throw new ChatTemplateException($"a number has at most {MostDigits} digits behind its point");
        var text = BigInteger.Abs(Scaled(value, digits)).ToString(CultureInfo.InvariantCulture).PadLeft(digits + 1, '0');
        var sign = double.IsNegative(value) ? "-" : "";
        return digits == 0 ? sign + text : $"{sign}{text[..^digits]}.{text[^digits..]}";
    }

    /// <summary>As a conversion of <c>%</c> or <c>format</c> writes it.</summary>
    public static string Write(Budget budget, object? value, char kind, int? precision)
    {
        budget.Make(64);
        if (value is Undefined undefined)
            throw undefined.Error();
        if (!Numbers.Is(value))
            throw new ChatTemplateException($"the format '{kind}' needs a number, not '{TypeName.Of(value)}'");
        switch (kind)
        {
            case 'd' or 'i' or 'u':
                return (Numbers.ToInteger(value) ?? Truncate((double)value!)).ToString(CultureInfo.InvariantCulture);
            case 'x' or 'X' or 'o' or 'b':
                return Radix(
                    Numbers.ToInteger(value) ?? throw new ChatTemplateException($"the format '{kind}' needs an integer"),
                    kind == 'o' ? 8 : kind == 'b' ? 2 : 16, kind == 'X');
            case 'f' or 'F':
                return Fixed(Numbers.ToDouble(value), precision ?? 6);
            case '%':
                return Fixed(Numbers.ToDouble(value) * 100, precision ?? 6) + "%";
            case 'e' or 'E':
                return Scientific(Numbers.ToDouble(value), precision ?? 6, kind);
            default:
                return General(Numbers.ToDouble(value), Math.Max(1, precision ?? 6));
        }
    }

    public static BigInteger Truncate(double value) => double.IsFinite(value)
        ? new BigInteger(value) : throw new ChatTemplateException("infinity and NaN are no integers");

    // value * 10^digits, rounded half to even.
    private static BigInteger Scaled(double value, int digits)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7ff);
        var mantissa = (bits & 0xfffffffffffffL) | (exponent == 0 ? 0 : 1L << 52);
        exponent = Math.Max(exponent, 1) - 1075;
        var scaled = mantissa * BigInteger.Pow(10, digits);
        if (exponent >= 0)
            return scaled << exponent;
        var quotient = scaled >> -exponent;
        var twice = (scaled - (quotient << -exponent)) << 1;
        var order = twice.CompareTo(BigInteger.One << -exponent);
        return order > 0 || (order == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static string Radix(BigInteger value, int radix, bool isUpper)
    {
        var digits = new List<char>();
        for (var rest = BigInteger.Abs(value); !rest.IsZero || digits.Count == 0; rest /= radix)
            digits.Add((isUpper ? "0123456789ABCDEF" : "0123456789abcdef")[(int)(rest % radix)]);
        if (value.Sign < 0)
            digits.Add('-');
        digits.Reverse();
        return new([.. digits]);
    }

    private static string Scientific(double value, int precision, char kind) => double.IsFinite(value)
        ? value.ToString($"0{(precision > 0 ? "." : "")}{new string('0', Math.Min(precision, MostDigits))}{kind}+00",
            CultureInfo.InvariantCulture) : Numbers.Write(value);

    private static string General(double value, int precision)
    {
        if (!double.IsFinite(value))
            return Numbers.Write(value);
        var scientific = Scientific(value, precision - 1, 'e');
        var exponent =
            int.Parse(scientific.AsSpan(scientific.IndexOf('e') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent >= -4 && exponent < precision)
            return WithoutZeros(Fixed(value, precision - 1 - exponent));
        return WithoutZeros(scientific[..scientific.IndexOf('e')]) + scientific[scientific.IndexOf('e')..];
    }

    private static string WithoutZeros(string text) =>
        text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
}
