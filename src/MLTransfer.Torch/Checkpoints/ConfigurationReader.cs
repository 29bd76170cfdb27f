using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Reads the entries of a <c>config.json</c> as what they are meant to be. An entry that is null counts as absent.</summary>
/// <param name="json">The object.</param>
/// <param name="origin">What error messages call it.</param>
/// <param name="tensors">The names of the checkpoint's tensors; null where there is no checkpoint, only a configuration.</param>
internal sealed class ConfigurationReader(
    JsonObject json, string origin = ModelConfigurationFile.FileName, IReadOnlyCollection<string>? tensors = null)
{
    /// <summary>The largest extent that a configuration may ask for.</summary>
    private const int MaximumSize = 1 << 24;

    /// <summary>The most layers, or streams of tokens: each becomes an object before a single weight is looked for.</summary>
    public const int MaximumLayers = 4096;

    private readonly HashSet<string> _read = [];

    /// <summary>What error messages call the object.</summary>
    public string Origin => origin;

    /// <summary>The same entries, those with another spelling under the one that is read.</summary>
    /// <param name="spellings">Another spelling, which goes before where both are there, and the one that is read.</param>
    public ConfigurationReader With(IEnumerable<(string Other, string Read)> spellings)
    {
        var entries = json.DeepClone().AsObject();
        foreach (var (other, read) in spellings)
        {
            if (entries.Remove(other, out var node) && node is not null)
                entries[read] = node;
        }

        return new ConfigurationReader(entries, origin, tensors);
    }

    /// <summary>Whether there is an entry that is not null.</summary>
    public bool Has(string key) => Node(key) is not null;

    /// <summary>Whether there is an entry, and it is null: where a class has a default that null turns off.</summary>
    public bool IsNull(string key) => Node(key) is null && json.ContainsKey(key);

    /// <summary>Whether the checkpoint has a tensor whose name ends so. A network that is made new has all of them.</summary>
    public bool Stores(string name) => tensors is null || tensors.Any(t => t == name || t.EndsWith("." + name, StringComparison.Ordinal));

    /// <summary>An extent of 1 or more.</summary>
    public int Size(string key, int? otherwise = null) => Whole(key, 1) ?? otherwise ?? throw Missing(key);

    /// <summary>A number of layers, or of streams of tokens.</summary>
    public int Layers(string key, int? otherwise = null)
    {
        var count = Size(key, otherwise);
        return count <= MaximumLayers
            ? count : throw new InvalidDataException($"{origin}: {key} is {count}; expected 1 to {MaximumLayers}.");
    }

    /// <summary>An extent of 1 or more, or null.</summary>
    public int? OptionalSize(string key) => Whole(key, 1);

    /// <summary>A number of 0 or more.</summary>
    public int Count(string key, int? otherwise = null) => Whole(key, 0) ?? otherwise ?? throw Missing(key);

    /// <summary>A finite number.</summary>
    public double Number(string key, double? otherwise = null) => OptionalNumber(key) ?? otherwise ?? throw Missing(key);

    /// <summary>A finite number, or null.</summary>
    public double? OptionalNumber(string key)
    {
        if (Node(key) is not { } node)
            return null;
        return Number(node) ?? throw Wrong(key, node, "a finite number");
    }

    /// <summary>A number above 0.</summary>
    public double Positive(string key, double? otherwise = null) =>
        Number(key, otherwise) is var number and > 0 ? number : throw Wrong(key, Node(key), "a number above 0");

    /// <summary>A number from 0 to less than 1.</summary>
    public double Probability(string key, double? otherwise = null)
    {
        var value = Number(key, otherwise);
        return value is >= 0 and < 1 ? value : throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture, $"{origin}: {key} is {value}; expected a probability from 0 to less than 1."));
    }

    public bool Flag(string key, bool? otherwise = null)
    {
        if (Node(key) is not { } node)
            return otherwise ?? throw Missing(key);
        return node.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(key, node, "true or false"),
        };
    }

    /// <summary>Whether an entry is there and true or false.</summary>
    public bool IsFlag(string key) => Node(key)?.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    public string Text(string key, string? otherwise = null) => OptionalText(key) ?? otherwise ?? throw Missing(key);

    public string? OptionalText(string key)
    {
        if (Node(key) is not { } node)
            return null;
        return node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : throw Wrong(key, node, "a text");
    }

    /// <summary>A finite number; null only where the file says null.</summary>
    public double? NumberUnlessNull(string key, double otherwise) => IsNull(key) ? null : OptionalNumber(key) ?? otherwise;

    /// <summary>An extent of 1 or more; null only where the file says null.</summary>
    public int? SizeUnlessNull(string key, int? otherwise) => IsNull(key) ? null : OptionalSize(key) ?? otherwise;

    /// <summary>An object, or null.</summary>
    public ConfigurationReader? Object(string key)
    {
        if (Node(key) is not { } node)
            return null;
        return node is JsonObject inner ? new ConfigurationReader(inner, $"{origin}: {key}", tensors) : throw Wrong(key, node, "an object");
    }

    /// <summary>A list of texts, or null.</summary>
    public IReadOnlyList<string>? Texts(string key) => List(key, "a list of texts", static node =>
        node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null);

    /// <summary>A list of finite numbers, or null.</summary>
    public IReadOnlyList<double>? Numbers(string key) =>
        List(key, "a list of finite numbers", static node => (object?)Number(node))?.Cast<double>().ToList();

    /// <summary>A list of lists, whatever they hold, or null.</summary>
    public JsonArray? Array(string key)
    {
        if (Node(key) is not { } node)
            return null;
        return node as JsonArray ?? throw Wrong(key, node, "a list");
    }

    /// <summary>Refuses an entry that asks for what is not supported.</summary>
    /// <exception cref="NotSupportedException">The entry is there and not null, false, 0 or empty.</exception>
    public void Refuse(string key, string what)
    {
        if (!AsksForNothing(Node(key)))
            throw Unsupported(key, what);
    }

    /// <summary>Refuses another value than the one that is computed, where there is one.</summary>
    /// <exception cref="NotSupportedException">The entry is there and says something else.</exception>
    public void Require<T>(string key, T supported)
    {
        var expected = JsonValue.Create(supported);
        if (Node(key) is { } node && !(Number(node) is { } number ? number == Number(expected) : JsonNode.DeepEquals(node, expected)))
            throw Unsupported(key, $"supported is {expected!.ToJsonString()}");
    }

    /// <summary>
    /// Refuses entries that nobody has asked for, since they may change what is computed. Null, false, 0 and empty lists and objects ask
    /// for nothing.
    /// </summary>
    /// <param name="harmless">Entries that change nothing.</param>
    /// <exception cref="NotSupportedException">There is one; the message names it.</exception>
    public void RefuseUnread(Func<string, bool> harmless)
    {
        foreach (var (key, node) in json)
        {
            if (!_read.Contains(key) && !AsksForNothing(node) && !harmless(key))
                throw Unsupported(key, "such an entry is not known and may change what is computed. Take it out if it does not");
        }
    }

    /// <summary>Entries that another one replaces count as read.</summary>
    public void Skip(params IEnumerable<string> keys) => _read.UnionWith(keys);

    /// <summary>What an entry asks for is not supported.</summary>
    public NotSupportedException Unsupported(string key, string what) =>
        new($"{origin}: {key} is {Node(key)?.ToJsonString() ?? "null"}; {what}.");

    /// <summary>The file is not valid.</summary>
    public InvalidDataException Invalid(string what) => new($"{origin}: {what}.");

    /// <summary>Refuses a list of another length.</summary>
    /// <exception cref="InvalidDataException">There are more or fewer entries.</exception>
    public IReadOnlyList<T> OfLength<T>(string key, IReadOnlyList<T> list, int length) => list.Count == length
        ? list : throw Invalid($"{key} has {list.Count} entries; expected {length}");

    private static bool AsksForNothing(JsonNode? node) => node switch
    {
        null => true,
        JsonArray list => list.Count == 0,
        JsonObject entries => entries.Count == 0,
        _ => node.GetValueKind() == JsonValueKind.False || Number(node) == 0,
    };

    private JsonNode? Node(string key)
    {
        _read.Add(key);
        return json[key];
    }

    // A node that a program made holds an int where a parsed one holds text: what both have in common is how they are written.
    private static double? Number(JsonNode? node) =>
        node?.GetValueKind() == JsonValueKind.Number
        && double.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number : null;

    private int? Whole(string key, int minimum)
    {
        if (Node(key) is not { } node)
            return null;
        if (Number(node) is not { } number || number != Math.Floor(number))
            throw Wrong(key, node, "a whole number");
        return number >= minimum && number <= MaximumSize ? (int)number : throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture, $"{origin}: {key} is {number}; expected {minimum} to {MaximumSize}."));
    }

    private List<T>? List<T>(string key, string expected, Func<JsonNode?, T?> read)
        where T : class
    {
        if (Node(key) is not { } node)
            return null;
        var values = node is JsonArray array ? array.Select(read).ToList() : throw Wrong(key, node, expected);
        return values.Contains(null) ? throw Wrong(key, node, expected) : [.. values.OfType<T>()];
    }

    /// <summary>An entry is not there that must be.</summary>
    public InvalidDataException Missing(string key) => new($"{origin} has no entry '{key}', which is needed.");

    private InvalidDataException Wrong(string key, JsonNode? node, string expected) =>
        new($"{origin}: {key} is {node?.ToJsonString() ?? "null"}; expected {expected}.");
}
