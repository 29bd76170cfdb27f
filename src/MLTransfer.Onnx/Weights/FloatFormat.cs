using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Layers;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>Matrices in the type that is computed in.</summary>
internal sealed class FloatFormat(GraphBuilder graph, DataType computeType) : WeightFormat(graph, computeType)
{
    public override Value Multiply(Value input, WeightMatrix matrix)
    {
        var weight = Store(matrix);
        if (matrix.Layout == WeightLayout.InputByOutput)
            return Graph.MatrixProduct(input, weight);

        // Gemm takes the table as it lies; a MatMul would need a transposed copy of what is most of a small model's weights.
        var rows = Graph.Reshape(input, -1, matrix.Inputs);                                             // [batch * length, inputs]
        var product = Graph.Node("Gemm", [rows, weight], ("transB", 1L));                               // [batch * length, outputs]
        var leading = Graph.Node("Slice", [Graph.Node("Shape", [input]), Graph.Constant([0]), Graph.Constant([-1])]); // [batch, length]
        return Graph.Node("Reshape", [product, Graph.Concatenate(0, leading, Graph.Constant([matrix.Outputs]))]);
    }

    public override Value ReadRows(Value ids, WeightMatrix table) => Graph.Node("Gather", [Store(table), ids], ("axis", 0L));

    private Value Store(WeightMatrix matrix) =>
        Graph.Add(matrix.Name, () => new Initializer(matrix.Name, ComputeType, matrix.Shape, stream =>
    {
        using var tensor = matrix.Read();
        TensorContent.Write(stream, tensor, ComputeType);
    }));
}
