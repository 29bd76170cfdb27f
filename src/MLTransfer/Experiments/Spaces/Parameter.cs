using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments;

/// <summary>
/// What a tuner chose: a number, a text, a truth value, or parameters by name. It is written as JSON, with all digits.
/// </summary>
[JsonConverter(typeof(ParameterConverter))]
[SuppressMessage("Naming", "CA1710", Justification = "Called as ML.NET calls it.")]
public sealed class Parameter : IDictionary<string, Parameter>, IEquatable<Parameter>
{
    private readonly object _value; // long, double, bool, string, OrderedDictionary or an array

    private Parameter(ParameterType type, object value) => (ParameterType, _value) = (type, value);

    /// <summary>What it holds.</summary>
    public ParameterType ParameterType { get; }

    /// <summary>The number, text or truth value itself; a dictionary or an array of parameters.</summary>
    public object Value => _value;

    /// <inheritdoc/>
    public int Count => Entries.Count;

    /// <inheritdoc/>
    public bool IsReadOnly => false;

    /// <inheritdoc/>
    public ICollection<string> Keys => Entries.Keys;

    /// <inheritdoc/>
    public ICollection<Parameter> Values => Entries.Values;

    private OrderedDictionary<string, Parameter> Entries => _value as OrderedDictionary<string, Parameter>
        ?? throw new InvalidOperationException($"The parameter {this} has no parameters in it: it is a {ParameterType}.");

    /// <summary>A parameter in it.</summary>
    /// <exception cref="InvalidOperationException">This one is not an <see cref="ParameterType.Object"/>.</exception>
    /// <exception cref="KeyNotFoundException">There is none of that name; the message tells those that there are.</exception>
    public Parameter this[string key]
    {
        get => Entries.TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(
            $"There is no parameter '{key}'; there are {string.Join(", ", Keys)}. One whose condition does not hold is left out.");
        set => Entries[key] = value;
    }

    /// <summary>A number.</summary>
    public static Parameter FromDouble(double value) => new(ParameterType.Number, value);

    /// <summary>A number.</summary>
    public static Parameter FromFloat(float value) => new(ParameterType.Number, (double)value);

    /// <summary>A whole number.</summary>
    public static Parameter FromInt(int value) => new(ParameterType.Integer, (long)value);

    /// <summary>A whole number.</summary>
    public static Parameter FromLong(long value) => new(ParameterType.Integer, value);

    /// <summary>A truth value.</summary>
    public static Parameter FromBool(bool value) => new(ParameterType.Bool, value);

    /// <summary>A text.</summary>
    public static Parameter FromString(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(ParameterType.String, value);
    }

    /// <summary>The name of an enumeration's value.</summary>
    public static Parameter FromEnum<T>(T value)
        where T : struct, Enum => FromString(value.ToString());

    /// <summary>Parameters in a row.</summary>
    public static Parameter FromIEnumerable<T>(IEnumerable<T> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return new(ParameterType.Array, values.Select(value => FromObject((object?)value)).ToArray());
    }

    /// <summary>The public properties and fields of an object, by name.</summary>
    public static Parameter FromObject<T>(T value)
        where T : class => FromObject((object?)value);

    /// <summary>Parameters by name.</summary>
    public static Parameter CreateNestedParameter(params KeyValuePair<string, Parameter>[] parameters) =>
        new(ParameterType.Object, new OrderedDictionary<string, Parameter>(parameters));

    /// <summary>
    /// As a number, text, truth value or enumeration, or as an object of a class with a parameterless constructor, whose properties and
    /// fields of these names are set.
    /// </summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public T AsType<T>() => (T)ParameterBinding.Convert(this, typeof(T))!;

    /// <inheritdoc/>
    public void Add(string key, Parameter value) => Entries.Add(key, value);

    /// <inheritdoc/>
    public bool ContainsKey(string key) => Entries.ContainsKey(key);

    /// <inheritdoc/>
    public bool Remove(string key) => Entries.Remove(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Parameter value) => Entries.TryGetValue(key, out value);

    /// <inheritdoc/>
    public void Clear() => Entries.Clear();

    void ICollection<KeyValuePair<string, Parameter>>.Add(KeyValuePair<string, Parameter> item) => Entries.Add(item.Key, item.Value);

    bool ICollection<KeyValuePair<string, Parameter>>.Contains(KeyValuePair<string, Parameter> item) => Entries.Contains(item);

    void ICollection<KeyValuePair<string, Parameter>>.CopyTo(KeyValuePair<string, Parameter>[] array, int arrayIndex) =>
        ((ICollection<KeyValuePair<string, Parameter>>)Entries).CopyTo(array, arrayIndex);

    bool ICollection<KeyValuePair<string, Parameter>>.Remove(KeyValuePair<string, Parameter> item) =>
        ((ICollection<KeyValuePair<string, Parameter>>)Entries).Remove(item);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, Parameter>> GetEnumerator() => Entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Whether the same is written: 2 and 2.0 are equal.</summary>
    public bool Equals(Parameter? other) => other is not null && JsonNode.DeepEquals(ToJson(), other.ToJson());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Parameter);

    /// <inheritdoc/>
    public override int GetHashCode() => ParameterType switch
    {
        ParameterType.Integer or ParameterType.Number => AsType<double>().GetHashCode(),
        ParameterType.Object or ParameterType.Array => Value is ICollection { Count: var count } ? count : 0,
        _ => Value.GetHashCode(),
    };

    /// <summary>As JSON.</summary>
    public override string ToString() => ToJson().ToJsonString();

    internal static Parameter FromObject(object? value) => value switch
    {
        Parameter parameter => parameter,
        bool flag => FromBool(flag),
        string text => FromString(text),
        Enum name => FromString(name.ToString()),
        float number => FromFloat(number),
        double number => FromDouble(number),
        decimal number => FromDouble((double)number),
        sbyte or byte or short or ushort or int or uint or long => FromLong(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        null => throw new ArgumentNullException(nameof(value), "A parameter cannot be null; take a word such as \"none\"."),
        _ => FromJson(JsonSerializer.SerializeToElement(value, ParameterBinding.Json)),
    };

    internal static Parameter FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => FromBool(element.GetBoolean()),
        JsonValueKind.String => FromString(element.GetString()!),
        JsonValueKind.Number => element.TryGetInt64(out var whole) ? FromLong(whole) : FromDouble(element.GetDouble()),
        JsonValueKind.Array => new(ParameterType.Array, element.EnumerateArray().Select(FromJson).ToArray()),
        JsonValueKind.Object => CreateNestedParameter(
            [.. element.EnumerateObject().Where(entry => entry.Value.ValueKind != JsonValueKind.Null)
                .Select(entry => KeyValuePair.Create(entry.Name, FromJson(entry.Value)))]),
        _ => throw new InvalidDataException($"A parameter cannot be {element.ValueKind}."),
    };

    internal JsonNode ToJson() => _value switch
    {
        long number => JsonValue.Create(number),
        double number when !double.IsFinite(number) => throw new InvalidOperationException($"A parameter is {number}."),
        double number when number == Math.Floor(number) && Math.Abs(number) < 1e15 => JsonValue.Create((long)number),
        double number => JsonValue.Create(number),
        bool flag => JsonValue.Create(flag),
        string text => JsonValue.Create(text)!,
        Parameter[] list => new JsonArray([.. list.Select(item => item.ToJson())]),
        _ => new JsonObject(Entries.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value.ToJson()))),
    };
}
