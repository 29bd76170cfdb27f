using System.Runtime.InteropServices;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>Matrices in int8, symmetric, with a scale for each output; activations are quantized to uint8 at each product.</summary>
internal sealed class Int8Format(GraphBuilder graph) : WeightFormat(graph, DataType.Float)
{
    /// <summary>
    /// The largest magnitude. Processors without VNNI add two products uint8 * int8 in 16 bits, which overflow beyond 64
    /// (ONNX Runtime's <c>reduce_range</c>).
    /// </summary>
    internal const int Limit = 64;

    public override Value Multiply(Value input, WeightMatrix matrix)
    {
        var (weight, scale) = Store(matrix);
        if (matrix.Layout == WeightLayout.OutputByInput)
            weight = Graph.Transpose(weight, 1, 0); // [inputs, outputs]
        var quantized = Graph.Nodes("DynamicQuantizeLinear", 3, [input]); // values uint8, scale [], zero point []
        var product = Graph.Cast(Graph.Node("MatMulInteger", [quantized[0], weight, quantized[2]]), DataType.Float); // [..., outputs]
        return Graph.Product(product, Graph.Product(quantized[1], scale));
    }

    public override Value ReadRows(Value ids, WeightMatrix table)
    {
        var (weight, scale) = Store(table);
        var rows = Graph.Cast(Graph.Node("Gather", [weight, ids], ("axis", 0L)), DataType.Float);       // [batch, length, width]
        var scales = Graph.Node("Gather", [scale, ids], ("axis", 0L));                                  // [batch, length]
        return Graph.Product(rows, Graph.Node("Unsqueeze", [scales, Graph.Constant([-1])]));
    }

    private (Value Weight, Value Scale) Store(WeightMatrix matrix)
    {
        var (weightName, scaleName) = (matrix.Name + "_quantized", matrix.Name + "_scale");
        return (
            Graph.Add(weightName, () => new Initializer(weightName, DataType.Int8, matrix.Shape, stream =>
            {
                using var scope = NewDisposeScope();
                var weight = matrix.ReadFloats();
                var quantized = (weight / Scales(weight, matrix)).round().clamp(-Limit, Limit).to(ScalarType.Int8).contiguous();
                stream.Write(MemoryMarshal.AsBytes(NativeTensor.AsSpan<sbyte>(quantized)));
            })),
            Graph.Add(scaleName, () => new Initializer(scaleName, DataType.Float, [matrix.Outputs], stream =>
            {
                using var scope = NewDisposeScope();
                TensorContent.Write(stream, Scales(matrix.ReadFloats(), matrix), DataType.Float);
            })));
    }

    /// <summary>[1, outputs] or [outputs, 1]; a row of zeros gets 1.</summary>
    private static Tensor Scales(Tensor weight, WeightMatrix matrix)
    {
        var largest = weight.abs().amax([matrix.Layout == WeightLayout.InputByOutput ? 0 : 1], keepdim: true);
        return where(largest > 0, largest / Limit, ones_like(largest));
    }
}
