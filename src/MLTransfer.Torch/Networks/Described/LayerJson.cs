using System.Text.Json;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>Reads and writes lists of layers as JSON: <c>[{"type": "dense", "Units": 256, "Activation": "Relu"}, ...]</c>.</summary>
public static class LayerJson
{
    internal static readonly JsonSerializerOptions Options = new()
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowOutOfOrderMetadataProperties = true,
        WriteIndented = true,
    };

    /// <summary>Writes a list of layers.</summary>
    public static string Write(IReadOnlyList<Layer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return JsonSerializer.Serialize(layers, Options);
    }

    /// <summary>Reads a list of layers.</summary>
    /// <exception cref="InvalidDataException">The text is not such a list; the message says where.</exception>
    public static IReadOnlyList<Layer> Read(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            var layers = JsonSerializer.Deserialize<List<Layer?>>(json, Options);
            if (layers is null || layers.Contains(null))
                throw new InvalidDataException("The description of the layers is null or has a null in it.");
            return [.. layers.Select(layer => layer!)];
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException)
        {
            throw new InvalidDataException($"The description of the layers is not valid: {exception.Message}", exception);
        }
    }
}
