using System.Globalization;
using System.Numerics;

namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>
/// The metadata of a file: keys and values in order. A value is a byte, sbyte, ushort, short, uint, int, float, bool, string, ulong, long
/// or double, an array of one of these, or an array of such arrays.
/// </summary>
/// <param name="location">What error messages call the file.</param>
internal sealed class GgufMetadata(string location)
{
    private readonly OrderedDictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _read = [];

    public string Location => location;

    public IEnumerable<KeyValuePair<string, object>> Values => _values;

    public int Count => _values.Count;

    public bool TryAdd(string key, object value) => _values.TryAdd(key, value);

    /// <summary>Adds a value; null adds nothing.</summary>
    public void Add(string key, object? value)
    {
        if (value is not null)
            _values.Add(key, value);
    }

    public bool Has(string key) => Find(key) is not null;

    /// <summary>The value, whatever it is; null where there is none.</summary>
    public object? Find(string key)
    {
        _read.Add(key);
        return _values.GetValueOrDefault(key);
    }

    public string Text(string key) => OptionalText(key) ?? throw Missing(key);

    public string? OptionalText(string key) => Find(key) is not { } value ? null : value as string ?? throw Wrong(key, value, "a text");

    public int Whole(string key, int minimum, int maximum) => OptionalWhole(key, minimum, maximum) ?? throw Missing(key);

    /// <summary>A whole number of any type.</summary>
    public int? OptionalWhole(string key, int minimum, int maximum)
    {
        if (Find(key) is not { } value)
            return null;
        return AsWhole(value) is { } number && number >= minimum && number <= maximum
            ? (int)number : throw Wrong(key, value, $"a whole number from {minimum} to {maximum}");
    }

    public double Number(string key) => OptionalNumber(key) ?? throw Missing(key);

    /// <summary>A finite number. Of one in float32 the decimal number that was meant: the shortest that reads the same.</summary>
    public double? OptionalNumber(string key)
    {
        if (Find(key) is not { } value)
            return null;
        return AsNumber(value) is { } number && double.IsFinite(number) ? number : throw Wrong(key, value, "a finite number");
    }

    public bool? OptionalFlag(string key) => Find(key) is not { } value ? null : value as bool? ?? throw Wrong(key, value, "a bool");

    public IReadOnlyList<string>? Texts(string key) =>
        Find(key) is not { } value ? null : value as string[] ?? throw Wrong(key, value, "a list of texts");

    /// <summary>A list of finite numbers of any one type, or null.</summary>
    public IReadOnlyList<double>? Numbers(string key)
    {
        if (Find(key) is not { } value)
            return null;
        if (value is Array { Length: 0 })
            return [];
        if (value is not Array list || value is bool[] or string[] or object[])
            throw Wrong(key, value, "a list of numbers");
        var numbers = new double[list.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            var number = AsNumber(list.GetValue(i)!);
            numbers[i] = number is { } finite && double.IsFinite(finite) ? finite : throw Wrong(key, value, "a list of finite numbers");
        }

        return numbers;
    }

    /// <summary>Bytes of a list of bytes, or null.</summary>
    public byte[]? Bytes(string key) => Find(key) switch
    {
        null => null,
        byte[] bytes => bytes,
        sbyte[] signed => [.. signed.Select(value => (byte)value)],
        var value => throw Wrong(key, value, "a list of bytes"),
    };

    /// <summary>The keys with a beginning that nobody has asked for and that ask for something: not false, 0 or empty.</summary>
    public IEnumerable<string> Unread(string beginning) => _values
        .Where(entry => entry.Key.StartsWith(beginning, StringComparison.Ordinal) && !_read.Contains(entry.Key)
            && entry.Value is not (false or "" or Array { Length: 0 }) && AsNumber(entry.Value) != 0)
        .Select(entry => entry.Key);

    public InvalidDataException Invalid(string what) => new($"'{location}': {what}.");

    private InvalidDataException Missing(string key) => Invalid($"the metadata has no entry '{key}', which is needed");

    private InvalidDataException Wrong(string key, object value, string expected) => Invalid(string.Create(
        CultureInfo.InvariantCulture,
        $"the metadata entry '{key}' is {(value is Array list ? $"a list of {list.Length} values" : value)}; expected {expected}"));

    private static BigInteger? AsWhole(object value) => value switch
    {
        byte number => number,
        sbyte number => number,
        ushort number => number,
        short number => number,
        uint number => number,
        int number => number,
        ulong number => number,
        long number => number,
        _ => null,
    };

    private static double? AsNumber(object value) => value switch
    {
        float number => double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
        double number => number,
        _ => (double?)AsWhole(value),
    };
}
