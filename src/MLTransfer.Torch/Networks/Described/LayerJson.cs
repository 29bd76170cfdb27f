using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>Reads and writes lists of layers as JSON: <c>[{"type": "dense", "Units": 256, "Activation": "Relu"}, ...]</c>.</summary>
public static class LayerJson
{
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

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
        const string origin = "The description of the layers";
        byte[] content;
        try
        {
            content = s_utf8.GetBytes(json);
        }
        catch (EncoderFallbackException exception)
        {
            throw new InvalidDataException($"{origin} is not valid Unicode: {exception.Message}", exception);
        }

        FileKind.Configuration.Check(content.Length, origin);
        var layers = JsonContent.Deserialize<List<Layer?>>(content, origin, Options);
        return layers.Contains(null)
            ? throw new InvalidDataException($"{origin} has a null in it.")
            : [.. layers.Select(layer => layer!)];
    }
}
