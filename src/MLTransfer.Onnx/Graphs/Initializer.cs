using MLTransfer.Onnx.Schema;

namespace MLTransfer.Onnx.Graphs;

/// <summary>
/// A constant tensor of a graph whose bytes are made when they are written, so that not all of them are in memory at once.
/// </summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The extents.</param>
/// <param name="Write">Writes <see cref="ByteCount"/> bytes: little-endian, row-major.</param>
internal sealed record Initializer(string Name, TensorProto.Types.DataType Type, long[] Shape, Action<Stream> Write)
{
    /// <summary>Whether it belongs to the adapter, whose file is apart.</summary>
    public bool IsAdapter { get; init; }

    public long ByteCount => Shape.Aggregate(ElementSize(Type), (product, size) => checked(product * size));

    private static long ElementSize(TensorProto.Types.DataType type) => type switch
    {
        TensorProto.Types.DataType.Uint8 or TensorProto.Types.DataType.Int8 or TensorProto.Types.DataType.Bool => 1,
        TensorProto.Types.DataType.Float16 => 2,
        TensorProto.Types.DataType.Float or TensorProto.Types.DataType.Int32 => 4,
        TensorProto.Types.DataType.Int64 => 8,
        _ => throw new NotSupportedException($"Initializers of type {type} are not written."),
    };
}
