using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLTransfer.Experiments.Spaces;

/// <summary>Parameters as the JSON that they mean.</summary>
internal sealed class ParameterConverter : JsonConverter<Parameter>
{
    public override Parameter Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parameter.FromJson(JsonElement.ParseValue(ref reader));

    public override void Write(Utf8JsonWriter writer, Parameter value, JsonSerializerOptions options) => value.ToJson().WriteTo(writer);
}
