using System.Globalization;
using System.Text;

namespace MLTransfer.Tests.Shared;

/// <summary>Damages files at random, the same way for the same seed: at bytes, and at what JSON consists of.</summary>
/// <remarks>The environment variable <c>MLTRANSFER_SOAK</c> multiplies the rounds of the tests: 100 takes an hour.</remarks>
internal sealed class Mutation(int seed)
{
    private static readonly string[] s_values =
    [
        "null", "true", "[]", "{}", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "\"\uFFFD\"", "-1", "0", "0.5", "2147483647", "2147483648",
        "100000000", "99999999999999999999", "1e308", "1e999", "-1e-320", "[null]", "[[[[[[[[]]]]]]]]", "{\"a\":{\"a\":{}}}", "\"NaN\"",
    ];

    private readonly Random _random = new(seed);

    /// <summary>How many files a test tries.</summary>
    public static int Rounds(int usual) =>
        usual * int.Parse(Environment.GetEnvironmentVariable("MLTRANSFER_SOAK") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>The content with one to three damages.</summary>
    public byte[] Apply(byte[] content)
    {
        var result = content;
        for (var count = _random.Next(1, 4); count > 0; count--)
            result = result.Length == 0 ? "{"u8.ToArray() : ApplyOnce(result);
        return result;
    }

    private byte[] ApplyOnce(byte[] content)
    {
        var (start, length) = (_random.Next(content.Length), _random.Next(1, 12));
        length = Math.Min(length, content.Length - start);
        switch (_random.Next(8))
        {
            case 0:
                return [.. content[..start], (byte)_random.Next(256), .. content[(start + 1)..]];
            case 1:
                return [.. content[..start], .. content[(start + length)..]];
            case 2:
                return [.. content[..(start + length)], .. content[start..]];
            case 3:
                return content[..start];
            case 4:
                return DuplicateLine(content, start);
            default:
                return ReplaceValue(content, start);
        }
    }

    /// <summary>Another value for the one that follows the next colon or comma.</summary>
    private byte[] ReplaceValue(byte[] content, int from)
    {
        var at = content.AsSpan(from).IndexOfAny((byte)':', (byte)',');
        if (at < 0)
            return [.. content, .. Value()];
        at += from + 1;
        var length = content.AsSpan(at).IndexOfAny((byte)',', (byte)'}', (byte)']');
        return [.. content[..at], .. Value(), .. length < 0 ? [] : content[(at + length)..]];
    }

    /// <summary>What stands between two commas, twice.</summary>
    private static byte[] DuplicateLine(byte[] content, int from)
    {
        var start = content.AsSpan(0, from + 1).LastIndexOf((byte)',');
        var length = start < 0 ? -1 : content.AsSpan(start + 1).IndexOf((byte)',');
        return length < 0 ? content : [.. content[..(start + 1 + length)], .. content[start..]];
    }

    private byte[] Value() => Encoding.UTF8.GetBytes(s_values[_random.Next(s_values.Length)]);
}
