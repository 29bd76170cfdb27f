using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>
/// Matrices in int4 with a scale and a zero point for each block of inputs, as ONNX Runtime's <c>MatMulNBits</c> reads them.
/// </summary>
internal sealed class Int4Format(GraphBuilder graph) : WeightFormat(graph, DataType.Float)
{
    public override Value Multiply(Value input, WeightMatrix matrix)
    {
        var (weights, scales, zeroPoints) = Store(matrix);
        return Graph.RuntimeNode("MatMulNBits", 1, [input, weights, scales, zeroPoints],
            ("K", matrix.Inputs), ("N", matrix.Outputs), ("bits", 4L), ("block_size", (long)Int4Blocks.Size))[0];
    }

    // The rows are unpacked here, because a table that is the output head too is stored once, in the form that MatMulNBits reads.
    public override Value ReadRows(Value ids, WeightMatrix table)
    {
        var (weights, scales, zeroPoints) = Store(table);
        var blocks = Int4Blocks.BlockCount(table.Inputs);
        // [batch, length, blocks * size]
        var levels = Unpack(Gather(weights), blocks * Int4Blocks.Size);
        var zeros = Slice(Unpack(Gather(Graph.Reshape(zeroPoints, table.Outputs, -1)), 2 * ((blocks + 1) / 2)), blocks);
        var steps = Gather(Graph.Reshape(scales, table.Outputs, blocks));                                         // [batch, length, blocks]
        // [batch, length, blocks, size]
        var centred = Graph.Node("Sub", [Graph.Reshape(levels, 0, 0, blocks, Int4Blocks.Size), ToColumn(zeros)]);
        var rows = Graph.Reshape(Graph.Product(centred, ToColumn(steps)), 0, 0, blocks * Int4Blocks.Size);
        return Slice(rows, table.Inputs);                                                                         // [batch, length, width]

        Value Gather(Value values) => Graph.Node("Gather", [values, ids], ("axis", 0L));

        Value ToColumn(Value values) => Graph.Node("Unsqueeze", [values, Graph.Constant([-1])]);

        // Two levels to a byte, the first in the low half.
        Value Unpack(Value bytes, long count)
        {
            var low = ToColumn(Graph.Node("Mod", [bytes, Graph.Constant((byte)16)]));
            var high = ToColumn(Graph.Node("BitShift", [bytes, Graph.Constant((byte)4)], ("direction", "RIGHT")));
            return Graph.Cast(Graph.Reshape(Graph.Concatenate(-1, low, high), 0, 0, count), DataType.Float);
        }

        Value Slice(Value values, long count) =>
            Graph.Node("Slice", [values, Graph.Constant([0]), Graph.Constant([count]), Graph.Constant([2])]);
    }

    /// <summary>[outputs, blocks, size / 2], [outputs * blocks] and [outputs * ceiling(blocks / 2)].</summary>
    private (Value Weights, Value Scales, Value ZeroPoints) Store(WeightMatrix matrix)
    {
        var blocks = Int4Blocks.BlockCount(matrix.Inputs);
        return (
            Add("_Q4", DataType.Uint8, [matrix.Outputs, blocks, Int4Blocks.Size / 2], packed => packed.Weights),
            Add("_scales", DataType.Float, [matrix.Outputs * blocks], packed => packed.Scales),
            Add("_zero_points", DataType.Uint8, [matrix.Outputs * ((blocks + 1) / 2)], packed => packed.ZeroPoints));

        Value Add(string suffix, DataType type, long[] shape, Func<Int4Blocks, ReadOnlySpan<byte>> select) =>
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
}
