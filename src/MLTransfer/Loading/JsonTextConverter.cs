using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLTransfer.Loading;

/// <summary>Texts that may be JSON themselves: an object or a list, such as the messages of a chat, is the text that it is written
/// as.</summary>
internal sealed class JsonTextConverter : JsonConverter<string>
{
    /// <exception cref="JsonException">It is a number, or true or false.</exception>
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString();
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            throw new JsonException();
        using var value = JsonDocument.ParseValue(ref reader);
        return value.RootElement.GetRawText();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
