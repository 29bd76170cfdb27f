using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Safetensors;

/// <summary>
/// The JSON header of a safetensors file, checked against every rule of the format
/// (https://github.com/huggingface/safetensors, "Format"): after it, the data of the file's tensors follows without holes or overlaps.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The bytes before the header: its length, little-endian.</summary>
    public const int PrefixLength = 8;

    /// <summary>The longest header that the format allows, in bytes.</summary>
    public const long MaximumLength = 100_000_000;

    public const string MetadataName = "__metadata__";

    private readonly string _location;
    private readonly Dictionary<string, string> _metadata = [];
    private readonly List<Entry> _entries = [];

    private SafetensorsHeader(string location) => _location = location;

    /// <summary>A tensor's place, counted from the end of the header.</summary>
    public sealed record Entry(string Name, TensorInfo Info, long Begin, long End);

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>In the order of their data.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>The bytes of all tensors together.</summary>
    public long DataLength => _entries.Count == 0 ? 0 : _entries[^1].End;

    /// <summary>Checks the length that stands before the header.</summary>
    /// <param name="length">The length found.</param>
    /// <param name="available">The bytes that follow it, or null where that is not known.</param>
    /// <param name="location">The file, for messages.</param>
    public static void CheckLength(ulong length, long? available, string location)
    {
        if (length > (ulong)MaximumLength)
            throw Invalid(location, $"the header would be {length} bytes long, more than the {MaximumLength} that the format allows");
        if (available is long rest && length > (ulong)rest)
            throw Invalid(location, $"the header would be {length} bytes long, but only {rest} bytes follow its length");
    }

    /// <summary>Parses and checks a header.</summary>
    /// <param name="json">The header.</param>
    /// <param name="dataLength">The bytes that follow it, or null where that is not known.</param>
    /// <param name="location">The file, for messages.</param>
    /// <exception cref="InvalidDataException">A rule of the format is broken.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long? dataLength, string location)
    {
        var header = new SafetensorsHeader(location);
        if (json.IsEmpty || json[0] != (byte)'{') throw Invalid(location, "the header does not start with '{'");
        try
        {
            header.ReadAll(json);
        }
        // The reader's own exceptions: invalid JSON, and strings that are not valid UTF-8 or UTF-16.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"'{location}' is not a valid safetensors file: the header is not valid JSON. {exception.Message}", exception);
        }
        header.CheckPlaces(dataLength);
        return header;
    }

    public static InvalidDataException Invalid(string location, string problem) =>
        new($"'{location}' is not a valid safetensors file: {problem}.");

    private InvalidDataException Invalid(string problem) => Invalid(_location, problem);

    private void ReadAll(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var names = new HashSet<string>();
        reader.Read();
        while (ReadName(ref reader, names, "the header") is string name)
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw Invalid($"the entry '{name}' is not a JSON object");
            if (name == MetadataName) ReadMetadata(ref reader);
            else _entries.Add(ReadEntry(ref reader, name));
        }
        if (reader.Read()) throw Invalid("something follows the header's JSON object");
    }

    /// <summary>The next property's name, or null at the end of the object.</summary>
    private string? ReadName(ref Utf8JsonReader reader, HashSet<string> seen, string where)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject) return null;
        string name = reader.GetString()!;
        if (!PlainName.IsTensor(name)) throw Invalid($"a name in {where} has the character NUL in it");
        return seen.Add(name) ? name : throw Invalid($"the name '{name}' occurs twice in {where}");
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        var names = new HashSet<string>();
        while (ReadName(ref reader, names, MetadataName) is string name)
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw Invalid($"the value of '{name}' in {MetadataName} is not a string");
            _metadata.Add(name, reader.GetString()!);
        }
    }

    private Entry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string tensor = $"tensor '{name}'";
        ScalarType? type = null;
        long[]? shape = null, place = null;
        var names = new HashSet<string>();
        while (ReadName(ref reader, names, tensor) is string field)
        {
            reader.Read();
            switch (field)
            {
                case "dtype":
                    string? typeName = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                    type = SafetensorsDataType.Find(typeName ?? "") ?? throw Invalid(
                        $"{tensor} has the dtype '{typeName}'; this library reads {SafetensorsDataType.Names}");
                    break;
                case "shape":
                    shape = ReadIntegers(ref reader, $"the shape of {tensor}", TensorShape.MaximumRank);
                    break;
                case "data_offsets":
                    place = ReadIntegers(ref reader, $"data_offsets of {tensor}", 2);
                    break;
                default:
                    reader.Skip();   // as the format's own reader does
                    break;
            }
        }
        if (type is null) throw Invalid($"{tensor} has no dtype");
        if (shape is null) throw Invalid($"{tensor} has no shape");
        if (place is not [long begin, long end]) throw Invalid($"{tensor} has no data_offsets of two numbers");
        if (begin > end) throw Invalid($"{tensor} ends at {end}, before it begins at {begin}");
        if (!TensorShape.TryGetByteCount(shape, NativeTensor.ElementSize(type.Value), out long bytes))
            throw Invalid($"{tensor} of shape {TensorShape.Describe(shape)} is too large");
        if (bytes != end - begin)
        {
            throw Invalid($"{tensor} of dtype {SafetensorsDataType.Name(type.Value)} and shape {TensorShape.Describe(shape)} " +
                $"takes {bytes} bytes, but its data_offsets span {end - begin}");
        }
        return new Entry(name, new TensorInfo(type.Value, Array.AsReadOnly(shape)), begin, end);
    }

    private long[] ReadIntegers(ref Utf8JsonReader reader, string what, int maximumCount)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Invalid($"{what} is not a list");
        var values = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0)
                throw Invalid($"{what} holds '{Excerpt(reader.ValueSpan)}'; expected whole numbers from 0 to {long.MaxValue}");
            if (values.Count == maximumCount) throw Invalid($"{what} has more than {maximumCount} numbers");
            values.Add(value);
        }
        return [.. values];
    }

    private static string Excerpt(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text[..Math.Min(text.Length, 40)]);

    private void CheckPlaces(long? dataLength)
    {
        _entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin)
            : a.End != b.End ? a.End.CompareTo(b.End) : string.CompareOrdinal(a.Name, b.Name));
        long position = 0;
        foreach (Entry entry in _entries)
        {
            if (entry.Begin != position)
            {
                throw Invalid($"the data of tensor '{entry.Name}' begins at {entry.Begin}, which leaves " +
                    (entry.Begin < position ? "an overlap" : "a hole") + $": the tensor before it ends at {position}");
            }
            position = entry.End;
            if (dataLength is long length && position > length)
            {
                throw Invalid($"the data of tensor '{entry.Name}' ends at {position}, but only {length} bytes follow the header; " +
                    "the file is cut off");
            }
        }
        if (dataLength is long all && position != all)
            throw Invalid($"its tensors take {position} bytes, but {all} bytes follow the header");
    }
}
