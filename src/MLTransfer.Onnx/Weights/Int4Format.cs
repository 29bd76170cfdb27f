using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>Matrices in int4 with a scale and a zero point for each block of inputs, as ONNX Runtime's <c>MatMulNBits</c> reads them.</summary>
internal sealed class Int4Format(GraphBuilder graph) : WeightFormat(graph, DataType.Float)
{
    public override Value Multiply(Value input, WeightMatrix matrix)
    {
        var blocks = Int4Blocks.BlockCount(matrix.Inputs);
        var weight = Store("_Q4", DataType.Uint8, [matrix.Outputs, blocks, Int4Blocks.Size / 2], packed => packed.Weights);
        var scales = Store("_scales", DataType.Float, [matrix.Outputs * blocks], packed => packed.Scales);
        var zeroPoints = Store("_zero_points", DataType.Uint8, [matrix.Outputs * ((blocks + 1) / 2)], packed => packed.ZeroPoints);
        return Graph.RuntimeNode("MatMulNBits", 1, [input, weight, scales, zeroPoints],
            ("K", matrix.Inputs), ("N", matrix.Outputs), ("bits", 4L), ("block_size", (long)Int4Blocks.Size))[0];

        Value Store(string suffix, DataType type, long[] shape, Func<Int4Blocks, ReadOnlySpan<byte>> select) =>
            Graph.Add(matrix.Name + suffix, () => new Initializer(matrix.Name + suffix, type, shape, stream =>
            {
                using var scope = NewDisposeScope();
                var rows = matrix.ReadFloats(); // [outputs, inputs]
                if (matrix.Layout == WeightLayout.InputByOutput)
                    rows = rows.t().contiguous();
                var packed = new Int4Blocks(checked((int)matrix.Inputs));
                for (long row = 0; row < matrix.Outputs; row++)
                {
                    using var one = NewDisposeScope();
                    packed.Pack(NativeTensor.AsSpan<float>(rows[row]));
                    stream.Write(select(packed));
                }
            }));
    }

    // A table of four bits would cost more accuracy than it saves space: it is read once a token.
    public override Value ReadRows(Value ids, WeightMatrix table) => Int8Format.ReadRows(Graph, ids, table);
}
