using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Values of templates out of JSON: 1 is an integer, 1.0 a float, and keys keep their order.</summary>
internal static class JsonValues
{
    public static object? Read(string json, string origin) => Of(JsonContent.Parse(Encoding.UTF8.GetBytes(json), origin));

    public static object? Of(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var dictionary = new DictionaryValue();
                foreach (var property in element.EnumerateObject())
                    dictionary.Set(property.Name, Of(property.Value));
                return dictionary;
            case JsonValueKind.Array:
                return new ListValue([.. element.EnumerateArray().Select(Of)]);
            case JsonValueKind.Number:
                var text = element.GetRawText();
                return text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0 ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)
                    : Numbers.Bounded(BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
            case JsonValueKind.String:
                return element.GetString();
            case JsonValueKind.True or JsonValueKind.False:
                return element.GetBoolean();
            default:
                return null;
        }
    }
}
