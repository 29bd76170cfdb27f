using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Tokenization;

/// <summary>A value in a JSON file that knows where it stands, so that what is wrong with it can be said.</summary>
internal readonly struct JsonField
{
    private readonly JsonElement _element;
    private readonly string _file;
    private readonly string _path;

    private JsonField(JsonElement element, string file, string path) => (_element, _file, _path) = (element, file, path);

    public bool IsText => _element.ValueKind == JsonValueKind.String;

    public bool IsNull => _element.ValueKind == JsonValueKind.Null;

    public bool IsObject => _element.ValueKind == JsonValueKind.Object;

    public bool IsArray => _element.ValueKind == JsonValueKind.Array;

    /// <summary>The file and the place in it.</summary>
    public string Where => $"{_file}: {_path}";

    /// <summary>The top of a file.</summary>
    public static JsonField Parse(ReadOnlySpan<byte> content, string file) => new(JsonContent.Parse(content, file), file, "$");

    /// <summary>A property, or null where it is missing or null.</summary>
    public JsonField? Optional(string name)
    {
        Require(JsonValueKind.Object);
        return _element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? new JsonField(value, _file, $"{_path}.{name}")
            : null;
    }

    /// <summary>Whether a property is there, if only as null.</summary>
    public bool Has(string name) => Require(JsonValueKind.Object)._element.TryGetProperty(name, out _);

    /// <summary>Refuses a stage that has an option beside its <c>type</c> and these; returns the stage.</summary>
    public JsonField Only(params ReadOnlySpan<string> options)
    {
        foreach (JsonProperty property in Require(JsonValueKind.Object)._element.EnumerateObject())
        {
            if (property.Name != "type" && !options.Contains(property.Name))
                throw new NotSupportedException($"{Where} has the option '{property.Name}', which is not supported.");
        }

        return this;
    }

    /// <summary>A property that is true or false, or another value where it is missing or null.</summary>
    public bool FlagOr(string name, bool otherwise) => Optional(name)?.Flag() ?? otherwise;

    public JsonField Required(string name) =>
        Optional(name) ?? throw new InvalidDataException($"{_file}: {_path} has no '{name}'.");

    public IEnumerable<(string Name, JsonField Value)> Properties()
    {
        foreach (JsonProperty property in Require(JsonValueKind.Object)._element.EnumerateObject())
            yield return (property.Name, new JsonField(property.Value, _file, $"{_path}.{property.Name}"));
    }

    public IEnumerable<JsonField> Items()
    {
        int index = 0;
        foreach (JsonElement item in Require(JsonValueKind.Array)._element.EnumerateArray())
            yield return new JsonField(item, _file, $"{_path}[{index++}]");
    }

    public string Text()
    {
        Require(JsonValueKind.String);
        return _element.GetString()!;
    }

    /// <summary>A text of one code point.</summary>
    public Rune Character() => Text().EnumerateRunes().ToArray() is [Rune only] ? only : throw Invalid("one character");

    public bool Flag() => _element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Invalid("true or false"),
    };

    public double Number() =>
        _element.ValueKind == JsonValueKind.Number && _element.TryGetDouble(out double value) ? value : throw Invalid("a number");

    /// <summary>A whole number that is not negative.</summary>
    public int Count() =>
        _element.ValueKind == JsonValueKind.Number && _element.TryGetInt32(out int count) && count >= 0
            ? count
            : throw Invalid("a whole number from 0");

    /// <summary>A token id: a whole number from 0 to below the largest vocabulary that is accepted.</summary>
    public int Id() =>
        _element.ValueKind == JsonValueKind.Number && _element.TryGetInt32(out int id) && id is >= 0 and < TokenVocabulary.MaximumSize
            ? id
            : throw Invalid($"a token id from 0 to {TokenVocabulary.MaximumSize - 1}");

    public InvalidDataException Invalid(string expected)
    {
        string found = _element.GetRawText();
        return new InvalidDataException(
            $"{_file}: {_path} is {(found.Length > 60 ? found[..60] + "..." : found)}; expected {expected}.");
    }

    private JsonField Require(JsonValueKind kind) => _element.ValueKind == kind ? this : throw Invalid(kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => "a text",
    });
}
