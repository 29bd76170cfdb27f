using System.Text.Json.Serialization;

namespace MLTransfer.Networks;

/// <summary>What the output column holds.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NetworkOutputKind>))]
internal enum NetworkOutputKind
{
    Vector,
    Scalar,
    Image,
}
