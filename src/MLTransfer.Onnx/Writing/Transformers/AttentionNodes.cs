using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers.Description;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>Attention of several heads.</summary>
/// <remarks>B: batch, T: queries, S: keys, C: width, H: heads, K: heads of keys and values, D: width of a head.</remarks>
internal sealed class AttentionNodes(LayerNodes layers, Attention attention)
{
    private readonly int _queryWidth = attention.Heads * attention.HeadWidth;
    private readonly int _keyWidth = attention.KeyValueHeads * attention.HeadWidth;
    private readonly DataType _scoreType = ScoreType(layers, attention);

    private GraphBuilder Graph => layers.Graph;

    /// <summary>The type that scores are computed in.</summary>
    public static DataType ScoreType(LayerNodes layers, Attention attention) => attention.Float32Scores ? DataType.Float : layers.Type;

    /// <summary>Attention to the sequence itself: [B, T, C] to the same shape.</summary>
    /// <param name="x">What is read.</param>
    /// <param name="bias">What is added to scores, [B or 1, H or 1, T or 1, S].</param>
    /// <param name="rotation">Turns queries and keys, where the attention does it; null where none does.</param>
    /// <param name="past">Where keys and values are taken from and given to; null for nowhere.</param>
    /// <param name="turn">Turns queries, keys and values, [B, H, T, D], in a way of its own; null for nothing.</param>
    public Value AddSelf(Value x, Value bias, RotaryNodes? rotation, PastNodes? past, Func<Value, Value>? turn = null)
    {
        if (layers.Fused && CanBeFused && turn is null)
            return Output(Fused(Packed(x), bias, past));
        var (query, key, value) = Project(x);                                                        // [B, H, T, D], [B, K, T, D] twice
        if (attention.QueryNorm is { } queryNorm)
            query = layers.Normalize(query, queryNorm, attention.HeadWidth);
        if (attention.KeyNorm is { } keyNorm)
            key = layers.Normalize(key, keyNorm, attention.HeadWidth);
        if (attention.Rotary is { } rotary)
            (query, key) = (rotation!.Turn(query, rotary, attention.HeadWidth), rotation.Turn(key, rotary, attention.HeadWidth));
        if (turn is not null)
            (query, key, value) = (turn(query), turn(key), turn(value));
        if (past?.Before is { } before)
            (key, value) = (Graph.Concatenate(2, before.Key, key), Graph.Concatenate(2, before.Value, value)); // [B, K, S, D]
        past?.Give(key, value);
        return Output(Attend(query, key, value, bias));
    }

    /// <summary>Attention to what an encoder gave: [B, T, C] to the same shape.</summary>
    /// <param name="x">What is read.</param>
    /// <param name="encoded">[B, S, width of the encoder]; null where its keys and values are taken.</param>
    /// <param name="bias">What is added to scores, [B, 1, 1, S].</param>
    /// <param name="past">Where keys and values are taken from or given to.</param>
    public Value AddCross(Value x, Value? encoded, Value bias, PastNodes past)
    {
        var query = SplitHeads(layers.Linear(x, attention.Inputs[0]), attention.Heads);
        if (attention.QueryNorm is { } queryNorm)
            query = layers.Normalize(query, queryNorm, attention.HeadWidth);
        if (past.Before is not { } known)
        {
            known = KeysAndValues(encoded!);
            past.Give(known.Key, known.Value);
        }

        return Output(Attend(query, known.Key, known.Value, bias));
    }

    /// <summary>What cross-attention makes of [B, S, width of the encoder]: [B, K, S, D] twice.</summary>
    public (Value Key, Value Value) KeysAndValues(Value encoded)
    {
        var keys = SplitHeads(layers.Linear(encoded, attention.Inputs[1]), attention.KeyValueHeads);
        if (attention.KeyNorm is { } keyNorm)
            keys = layers.Normalize(keys, keyNorm, attention.HeadWidth);
        return (keys, SplitHeads(layers.Linear(encoded, attention.Inputs[2]), attention.KeyValueHeads));
    }

    /// <summary>Whether ONNX Runtime has one operator for all of it.</summary>
    private bool CanBeFused =>
        _scoreType == layers.Type && attention.KeyValueHeads == attention.Heads && attention.Packing != Packing.PerHead
        && attention is { Rotary: null, QueryNorm: null, KeyNorm: null, SoftCap: null };

    private Value Output(Value attended) => layers.Linear(attended, attention.Output);

    private Value Fused(Value[] parts, Value bias, PastNodes? past)
    {
        var outputs = Graph.RuntimeNode("MultiHeadAttention", past is { IsGiven: true } ? 3 : 1,
            [.. parts, Value.None, Value.None, bias, .. past?.Before is { } before ? [before.Key, before.Value] : (Value[])[]],
            ("num_heads", (long)attention.Heads), ("scale", (float)attention.Scale));
        if (past is { IsGiven: true })
            past.Give(outputs[1], outputs[2]);
        return outputs[0];
    }

    /// <summary>[B, T, C] of queries [B, H, T, D] and keys and values [B, K, S, D].</summary>
    private Value Attend(Value query, Value key, Value value, Value bias)
    {
        (query, key, value) = (Widen(query), Repeat(Widen(key)), Repeat(Widen(value)));
        var scores = Graph.MatrixProduct(query, Graph.Transpose(key, 0, 1, 3, 2));                   // [B, H, T, S]
        scores = layers.Cap(Graph.Product(scores, Graph.Constant(attention.Scale, _scoreType)), attention.SoftCap, _scoreType);
        scores = Graph.Sum(scores, bias);
        var mixed = Graph.MatrixProduct(Graph.Node("Softmax", [scores], ("axis", -1L)), value);      // [B, H, T, D]
        mixed = layers.Cast(mixed, _scoreType, layers.Type);
        return Graph.Reshape(Graph.Transpose(mixed, 0, 2, 1, 3), 0, 0, _queryWidth);

        Value Widen(Value heads) => layers.Cast(heads, layers.Type, _scoreType);
    }

    /// <summary>Queries [B, H, T, D], keys and values [B, K, T, D].</summary>
    private (Value Query, Value Key, Value Value) Project(Value x)
    {
        if (attention.Packing == Packing.PerHead)
        {
            var all = Graph.Reshape(layers.Linear(x, attention.Inputs[0]), 0, 0, attention.Heads, 3 * attention.HeadWidth);
            var each = Split(Graph.Transpose(all, 0, 2, 1, 3), 3, attention.HeadWidth, attention.HeadWidth, attention.HeadWidth);
            return (each[0], each[1], each[2]);
        }

        var parts = Packed(x);
        var keyHeads = attention.KeyValueHeads;
        return (SplitHeads(parts[0], attention.Heads), SplitHeads(parts[1], keyHeads), SplitHeads(parts[2], keyHeads));
    }

    /// <summary>Queries [B, T, H D], keys and values [B, T, K D].</summary>
    private Value[] Packed(Value x) => attention.Packing switch
    {
        Packing.Apart => [.. attention.Inputs.Select(input => layers.Linear(x, input))],
        Packing.Rows => Split(layers.Linear(x, attention.Inputs[0]), 2, _queryWidth, _keyWidth, _keyWidth),
        _ => throw new NotSupportedException($"Projections packed as {attention.Packing} cannot be exported to ONNX."),
    };

    private Value[] Split(Value value, long axis, params ReadOnlySpan<long> sizes) =>
        Graph.Nodes("Split", sizes.Length, [value, Graph.Constant(sizes)], attributes: ("axis", axis));

    private Value SplitHeads(Value part, int heads) => Graph.Transpose(Graph.Reshape(part, 0, 0, heads, attention.HeadWidth), 0, 2, 1, 3);

    /// <summary>Each head of keys or values for all heads of queries that read it: [B, K, S, D] to [B, H, S, D].</summary>
    private Value Repeat(Value heads)
    {
        if (attention.KeyValueHeads == attention.Heads)
            return heads;
        var group = attention.Heads / attention.KeyValueHeads;
        var repeated = Graph.Node("Expand", [Graph.Node("Unsqueeze", [heads, Graph.Constant([2])]), Graph.Constant([1, 1, group, 1, 1])]);
        return Graph.Reshape(repeated, 0, attention.Heads, -1, attention.HeadWidth);
    }
}
