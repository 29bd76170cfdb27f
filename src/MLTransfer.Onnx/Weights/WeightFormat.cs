using MLTransfer.Onnx.Graphs;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>How a precision stores matrices and computes with them.</summary>
internal abstract class WeightFormat(GraphBuilder graph, DataType computeType)
{
    protected GraphBuilder Graph { get; } = graph;

    /// <summary>The type of activations, vectors, past key values and logits.</summary>
    public DataType ComputeType { get; } = computeType;

    public static WeightFormat Create(OnnxPrecision precision, GraphBuilder graph) => precision switch
    {
        OnnxPrecision.Float32 => new FloatFormat(graph, DataType.Float),
        OnnxPrecision.Float16 => new FloatFormat(graph, DataType.Float16),
        OnnxPrecision.Int8 => new Int8Format(graph),
        OnnxPrecision.Int4 => new Int4Format(graph),
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "Not a precision."),
    };

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public abstract Value Multiply(Value input, WeightMatrix matrix);

    /// <summary>Rows of a table: ids [batch, length] to [batch, length, width].</summary>
    public abstract Value ReadRows(Value ids, WeightMatrix table);
}
