using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>Plain data of a pickle as JSON. A pickle may name one value many times over, also inside of itself, so the size is
/// bounded.</summary>
/// <param name="origin">What error messages call the data.</param>
internal sealed class PickledData(string origin)
{
    private const int MaximumValues = 100_000;
    private const int MaximumDepth = 32;

    private int _values;

    /// <summary>Dictionaries, lists, tuples, texts, finite numbers, truth values and None.</summary>
    /// <exception cref="InvalidDataException">There is something else, or too much.</exception>
    public JsonNode? ToJson(object? value, int depth = 0)
    {
        if (++_values > MaximumValues || depth > MaximumDepth)
            throw Invalid($"has more than {MaximumValues} values, or is nested more than {MaximumDepth} deep");
        switch (value)
        {
            case null:
                return null;
            case bool truth:
                return JsonValue.Create(truth);
            case long number:
                return JsonValue.Create(number);
            case double number when double.IsFinite(number):
                return JsonValue.Create(number);
            case string text:
                return JsonValue.Create(text);
            case object?[] tuple:
                return new JsonArray([.. tuple.Select(item => ToJson(item, depth + 1))]);
            case List<object?> list:
                return new JsonArray([.. list.Select(item => ToJson(item, depth + 1))]);
            case PickleDictionary dictionary:
                var entries = new JsonObject();
                foreach (var (key, item) in dictionary)
                {
                    var name = key as string ?? throw Invalid($"has {PickleReader.Describe(key)} as a key; expected text");
                    entries[name] = ToJson(item, depth + 1);
                }

                return entries;
            default:
                throw Invalid($"holds {PickleReader.Describe(value)}; expected plain data");
        }
    }

    private InvalidDataException Invalid(string problem) => new($"{origin} {problem}.");
}
