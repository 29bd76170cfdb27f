using System.Text.Json;

namespace Serve;

/// <summary>Texts in the several forms that requests have for them.</summary>
internal static class RequestText
{
    /// <summary>One text, or a list.</summary>
    /// <exception cref="NotSupportedException">It is something else, such as token ids.</exception>
    public static IList<string> Texts(JsonElement value, string name) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array when value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            [.. value.EnumerateArray().Select(item => item.GetString()!)],
        JsonValueKind.Null => [],
        _ => throw new NotSupportedException($"'{name}' is a text or a list of texts here; it is {value.GetRawText()}."),
    };

    /// <summary>A message's content: a text, or parts of type <c>text</c>.</summary>
    /// <exception cref="NotSupportedException">A part is of another type.</exception>
    public static IReadOnlyList<string> Parts(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.Array => [.. content.EnumerateArray().Select(part =>
            part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()!
                : throw new NotSupportedException("A message has a part that is no text; the model reads texts alone."))],
        JsonValueKind.Null => [],
        _ => [content.GetString()!],
    };
}
