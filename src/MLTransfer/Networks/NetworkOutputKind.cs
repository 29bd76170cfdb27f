using System.Text.Json.Serialization;
using MLTransfer.Columns;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer
{
    /// <summary>What the column holds that a network makes.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<NetworkOutputKind>))]
    public enum NetworkOutputKind
    {
        /// <summary>A vector of Single, with the dimensions of the network's output.</summary>
        Vector,

        /// <summary>A Single, of a network that gives one number.</summary>
        Scalar,

        /// <summary>An image, of a network that gives [1 or 3, height, width].</summary>
        Image,
    }
}

namespace MLTransfer.Networks
{
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
}
