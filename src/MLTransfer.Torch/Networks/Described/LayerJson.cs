using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Numerics;

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
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutDefaults } },
    };

    // What a new layer has where its description says nothing.
    private static readonly Dictionary<Type, Layer> s_defaults = ((Layer[])
    [
        Layer.Dense(1), Layer.Convolution(1, 1), Layer.TransposedConvolution(1, 1), Layer.BatchNormalization(),
        Layer.LayerNormalization(), Layer.Activate(Activation.None), Layer.MaximumPooling(), Layer.AveragePooling(),
    ]).ToDictionary(layer => layer.GetType());

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

    /// <summary>A description says what is special about a layer: its size, and options that have not their defaults.</summary>
    private static void LeaveOutDefaults(JsonTypeInfo type)
    {
        if (!s_defaults.TryGetValue(type.Type, out var defaults))
            return;
        foreach (var property in type.Properties)
        {
            if (property.AssociatedParameter is not null || (property.AttributeProvider as MemberInfo)?.DeclaringType != type.Type
                || property.Get is not { } get)
                continue;
            var usual = get(defaults);
            property.ShouldSerialize = (_, value) => !Equals(value, usual);
        }
    }
}
