using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers.Description;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>What comes before the first block: tables of tokens, positions and types.</summary>
/// <remarks>B: batch, T: new positions, C: width.</remarks>
internal sealed class InputNodes(LayerNodes layers, Input input, int width)
{
    private GraphBuilder Graph => layers.Graph;

    /// <summary>[B, T, C].</summary>
    /// <param name="ids">[B, T], or [B, streams, T] of several streams.</param>
    /// <param name="positionIds">[B or 1, T]; null where they are counted by column.</param>
    /// <param name="attentionMask">[B, S]; null where nothing is padded.</param>
    /// <param name="tokenTypeIds">[B, T]; null where all are of the first type.</param>
    /// <param name="sequence">The positions by column.</param>
    public Value Create(Value ids, Value? positionIds, Value? attentionMask, Value? tokenTypeIds, SequenceNodes sequence)
    {
        var hidden = Tokens(ids);
        if (input.Projection is { } projection)
            hidden = layers.Linear(hidden, projection);
        if (input.Scale != 1)
            hidden = Graph.Product(hidden, layers.Number(input.Scale));
        if (input.Types is { } types)
        {
            hidden = Graph.Sum(hidden, Graph.Node(
                "Gather", [layers.Unquantized(types.Table), tokenTypeIds ?? Graph.Constant([0], isScalar: true)], ("axis", 0L)));
        }

        hidden = input.Positions switch
        {
            null => hidden,
            LearnedPositions learned => Graph.Sum(hidden, Graph.Node(
                "Gather", [layers.Unquantized(learned.Table), Rows(learned, ids, positionIds, attentionMask, sequence)], ("axis", 0L))),
            SinusoidalPositions sinusoidal => Graph.Sum(hidden, Sinusoids(sinusoidal.Order, positionIds ?? sequence.QueryRow)),
            var other => throw new NotSupportedException($"Positions of kind {other.GetType().Name} cannot be exported to ONNX."),
        };
        return input.Norm is { } norm ? layers.Normalize(hidden, norm, width) : hidden;
    }

    private Value Tokens(Value ids)
    {
        if (input.Tables is [var only])
            return layers.ReadRows(ids, only);
        return input.Tables.Select((table, stream) => layers.ReadRows(
            Graph.Node("Gather", [ids, Graph.Constant([stream], isScalar: true)], ("axis", 1L)), table)).Aggregate(Graph.Sum);
    }

    /// <summary>The row of the table for each position: [B or 1, T].</summary>
    private Value Rows(LearnedPositions learned, Value ids, Value? positionIds, Value? attentionMask, SequenceNodes sequence)
    {
        var counted = positionIds is not null ? null : learned.Counting switch
        {
            PositionCounting.Mask => attentionMask,
            PositionCounting.Tokens when learned.PaddingId is { } padding =>
                Graph.Cast(Graph.Node("Not", [Graph.Node("Equal", [ids, Graph.Constant([padding], isScalar: true)])]), DataType.Int64),
            _ => null,
        };
        if (counted is null)
        {
            var columns = positionIds ?? sequence.QueryRow;
            return learned.Offset == 0 ? columns : Graph.Sum(columns, Graph.Constant([learned.Offset], isScalar: true));
        }

        var count = Graph.Product(Graph.Node("CumSum", [counted, Graph.Constant([1], isScalar: true)]), counted);
        return Graph.Sum(count, Graph.Constant([learned.Offset - 1], isScalar: true)); // padding: the row before the first position's
    }

    /// <summary>[B or 1, T, C].</summary>
    private Value Sinusoids(SinusoidOrder order, Value positions)
    {
        var half = width / 2;
        var divisor = order == SinusoidOrder.CosinesThenSines ? half - 1 : half;
        float[] frequencies = [.. Enumerable.Range(0, half).Select(i => (float)Math.Exp(-i * Math.Log(10000) / divisor))];
        var last = Graph.Constant([-1]);
        var angles = Graph.Product(
            Graph.Node("Unsqueeze", [Graph.Cast(positions, DataType.Float), last]),
            Graph.Constant("sinusoid.frequencies", frequencies, half));                              // [B or 1, T, C / 2]
        var (cosines, sines) = (Graph.Node("Cos", [angles]), Graph.Node("Sin", [angles]));
        var vectors = order == SinusoidOrder.CosinesThenSines
            ? Graph.Concatenate(-1, cosines, sines)
            : Graph.Reshape(
                Graph.Concatenate(-1, Graph.Node("Unsqueeze", [sines, last]), Graph.Node("Unsqueeze", [cosines, last])), 0, 0, width);
        return layers.Cast(vectors, DataType.Float, layers.Type);
    }
}
