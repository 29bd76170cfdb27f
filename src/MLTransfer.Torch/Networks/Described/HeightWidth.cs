using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>
/// A size, a step or a border in both directions of a picture. One number is both: <c>3</c> is <c>(3, 3)</c>. In JSON it is a number or
/// <c>[height, width]</c>.
/// </summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
[JsonConverter(typeof(Converter))]
public readonly record struct HeightWidth(int Height, int Width)
{
    /// <summary>The same in both directions.</summary>
    public static implicit operator HeightWidth(int both) => new(both, both);

    /// <summary>Height and width.</summary>
    public static implicit operator HeightWidth((int Height, int Width) pair) => new(pair.Height, pair.Width);

    /// <summary>The same in both directions.</summary>
    public static HeightWidth FromInt32(int both) => both;

    /// <summary>Height and width.</summary>
    public static HeightWidth FromValueTuple((int Height, int Width) pair) => pair;

    /// <summary>3, or (3, 5).</summary>
    public override string ToString() => Height == Width ? $"{Height}" : $"({Height}, {Width})";

    /// <summary>As libtorch takes it.</summary>
    internal long[] ToArray() => [Height, Width];

    private sealed class Converter : JsonConverter<HeightWidth>
    {
        public override HeightWidth Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.Number)
                return reader.GetInt32();
            return JsonSerializer.Deserialize<int[]>(ref reader, options) is [var height, var width]
                ? new HeightWidth(height, width)
                : throw new JsonException("Expected a number or [height, width].");
        }

        public override void Write(Utf8JsonWriter writer, HeightWidth value, JsonSerializerOptions options)
        {
            if (value.Height == value.Width)
            {
                writer.WriteNumberValue(value.Height);
                return;
            }

            writer.WriteStartArray();
            writer.WriteNumberValue(value.Height);
            writer.WriteNumberValue(value.Width);
            writer.WriteEndArray();
        }
    }
}
