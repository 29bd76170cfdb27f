using MLTransfer.Columns;
using Microsoft.ML;

namespace MLTransfer.Networks;

/// <summary>Finds out what a network is given.</summary>
internal static class NetworkInput
{
    /// <summary>The shape of a row's input without the batch: that of the options, else the network's own, else the column's.</summary>
    /// <exception cref="ArgumentException">There is none, or the column has another.</exception>
    public static IReadOnlyList<long> ShapeOf(
        ColumnRole role, DataViewSchema schema, IReadOnlyList<long>? option, PretrainedNetwork? pretrained)
    {
        var shape = option ?? pretrained?.InputShape ?? TensorColumn.OwnShape(role.Find(schema), channels: 3)
            ?? throw new ArgumentException(
                $"The images of input column '{role.Column}' have no common size. Put ResizeImages in front, or set "
                + $"{nameof(TorchModuleOptions.InputShape)}.");
        TensorColumn.Find(role, schema, shape, option is null ? "the network takes" : $"{nameof(TorchModuleOptions.InputShape)} is");
        return shape;
    }
}
