using System.Text.Json.Serialization;
using MLTransfer.Columns;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Networks;

/// <summary>What the output column holds.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NetworkOutputKind>))]
internal enum NetworkOutputKind
{
    Vector,
    Scalar,
    Image,
}

internal static class NetworkOutputKinds
{
    /// <summary>What a network gives that learned from labels of a kind.</summary>
    public static NetworkOutputKind OfLabels(ColumnKind label) => label switch
    {
        ColumnKind.Image => NetworkOutputKind.Image,
        ColumnKind.Single or ColumnKind.Boolean => NetworkOutputKind.Scalar,
        _ => NetworkOutputKind.Vector,
    };

    /// <summary>The type of the output column for a network that gives a shape.</summary>
    public static DataViewType TypeOf(this NetworkOutputKind kind, IReadOnlyList<long> shape) => kind switch
    {
        NetworkOutputKind.Scalar => NumberDataViewType.Single,
        NetworkOutputKind.Image => new ImageDataViewType((int)shape[1], (int)shape[2]),
        _ => new VectorDataViewType(NumberDataViewType.Single, dimensions: shape.Select(extent => (int)extent).ToArray()),
    };
}
