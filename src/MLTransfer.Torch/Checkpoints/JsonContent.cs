using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Reads JSON, wherever it comes from. What parsers leave to chance is refused: a name that occurs twice in an object, and text that is not
/// valid Unicode.
/// </summary>
internal static class JsonContent
{
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads any value.</summary>
    /// <param name="content">UTF-8, with or without a byte order mark.</param>
    /// <param name="origin">What error messages call it.</param>
    /// <exception cref="InvalidDataException">It is not valid JSON.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> content, string origin) =>
        Checked(content, origin, static bytes => JsonElement.Parse(bytes, s_strict));

    /// <summary>Reads a value that something else follows.</summary>
    /// <param name="content">UTF-8.</param>
    /// <param name="length">The bytes of the value.</param>
    /// <returns>Null where it does not begin with a value.</returns>
    public static JsonElement? ParseStart(ReadOnlySpan<byte> content, out int length)
    {
        var reader = new Utf8JsonReader(content, new JsonReaderOptions { AllowMultipleValues = true });
        try
        {
            var value = JsonElement.ParseValue(ref reader);
            length = (int)reader.BytesConsumed;
            return value;
        }
        catch (JsonException)
        {
            length = 0;
            return null;
        }
    }

    /// <summary>Reads an object.</summary>
    /// <inheritdoc cref="Parse"/>
    public static JsonObject ParseObject(ReadOnlySpan<byte> content, string origin) =>
        Checked(content, origin, static bytes => JsonNode.Parse(bytes, documentOptions: s_strict)) as JsonObject
            ?? throw new InvalidDataException($"{origin} is not a JSON object.");

    /// <summary>Reads a value of a class.</summary>
    /// <inheritdoc cref="Parse"/>
    public static T Deserialize<T>(ReadOnlySpan<byte> content, string origin, JsonSerializerOptions options)
        where T : class
    {
        var element = Parse(content, origin);
        try
        {
            return element.Deserialize<T>(options) ?? throw new InvalidDataException($"{origin} is null.");
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or ArgumentException)
        {
            // NotSupportedException is for an abstract class whose kind is missing, ArgumentException for what a constructor refuses.
            throw new InvalidDataException($"{origin} is malformed: {exception.Message}", exception);
        }
    }

    private static T Checked<T>(ReadOnlySpan<byte> content, string origin, Func<ReadOnlySpan<byte>, T> parse)
    {
        if (content.StartsWith("\uFEFF"u8))
            content = content[3..];
        if (!Utf8.IsValid(content))
            throw new InvalidDataException($"{origin} is not valid UTF-8.");
        try
        {
            CheckEscapes(content, origin);
            return parse(content);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{origin} is not valid JSON: {exception.Message}", exception);
        }
    }

    // Escapes can say what UTF-8 cannot: one half of a surrogate pair.
    private static void CheckEscapes(ReadOnlySpan<byte> content, string origin)
    {
        var reader = new Utf8JsonReader(content);
        try
        {
            while (reader.Read())
            {
                if (reader.ValueIsEscaped)
                    reader.GetString();
            }
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidDataException(
                $"{origin} is not valid JSON: a text before its byte {reader.BytesConsumed} is not valid Unicode.", exception);
        }
    }
}
