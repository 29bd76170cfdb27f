using System.Runtime.InteropServices;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers.Description;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>What is added to scores: 0 where a query may attend to a key, else the lowest number, and the bias by distance.</summary>
/// <remarks>B: batch, T: queries, S: keys, H: heads.</remarks>
/// <param name="layers">Makes the nodes.</param>
/// <param name="sequence">The positions.</param>
/// <param name="isCausal">Whether a query sees only itself and keys before it.</param>
/// <param name="attentionMask">[B, S] int64, 1 for real tokens; null where nothing is padded.</param>
internal sealed class ScoreBiasNodes(LayerNodes layers, SequenceNodes sequence, bool isCausal, Value? attentionMask)
{
    private readonly Dictionary<(int? Window, RelativeBias? Bias, DataType Type), Value> _biases = [];
    private readonly Dictionary<int, Value> _allowed = []; // by window, 0 for none
    private readonly Dictionary<RelativeBias, Value> _relative = [];

    private GraphBuilder Graph => layers.Graph;

    /// <summary>[B or 1, H or 1, T, S], of an encoder in standard operators [B, H or 1, T or 1, S].</summary>
    /// <param name="attention">Whose scores.</param>
    /// <param name="type">The type of the scores.</param>
    public Value Of(Attention attention, DataType type)
    {
        if (_biases.TryGetValue((attention.Window, attention.Bias, type), out var known))
            return known;
        var bias = ToBias(layers, Allowed(attention.Window ?? 0), type);
        if (attention.Bias is { } relative)
            bias = Graph.Sum(bias, layers.Cast(Relative(relative), layers.Type, type));
        _biases.Add((attention.Window, attention.Bias, type), bias);
        return bias;
    }

    /// <summary>0 for the keys of an encoder that are seen, else the lowest number: [B, 1, 1, S].</summary>
    /// <param name="layers">Makes the nodes.</param>
    /// <param name="attentionMask">[B, S] int64.</param>
    /// <param name="type">The type of the scores.</param>
    public static Value BothWays(LayerNodes layers, Value attentionMask, DataType type) =>
        ToBias(layers, Seen(layers.Graph, attentionMask), type);

    /// <summary>0 where a query may attend to a key, else the lowest number, in the shape that is given.</summary>
    public static Value ToBias(LayerNodes layers, Value allowed, DataType type)
    {
        var lowest = type == DataType.Float16 ? (double)Half.MinValue : float.MinValue;
        return layers.Graph.Node("Where", [allowed, layers.Graph.Constant(0.0, type), layers.Graph.Constant(lowest, type)]);
    }

    private Value Allowed(int window)
    {
        if (!_allowed.TryGetValue(window, out var allowed))
            _allowed.Add(window, allowed = isCausal ? Causal(window) : BothWays());
        return allowed;
    }

    /// <summary>[B, 1, 1, S], and for the fused operator, which takes no other shape, [B, 1, T, S].</summary>
    private Value BothWays()
    {
        var seen = Seen(Graph, attentionMask!);
        if (!layers.Fused)
            return seen;
        var everyQuery = Graph.Node("GreaterOrEqual", [sequence.QueryColumn, Graph.Constant([0], isScalar: true)]); // [T, 1]
        return Graph.Node("And", [seen, everyQuery]);
    }

    /// <summary>[B or 1, 1, T, S].</summary>
    private Value Causal(int window)
    {
        var (keys, queries) = (sequence.Keys, sequence.QueryColumn);                                 // [S], [T, 1]
        var causal = Graph.Node("LessOrEqual", [keys, queries]);                                     // [T, S]
        if (window > 0)
        {
            var before = Graph.Node("Sub", [queries, Graph.Constant([window], isScalar: true)]);     // the last that is not seen
            causal = Graph.Node("And", [causal, Graph.Node("Greater", [keys, before])]);
        }

        if (attentionMask is null)
            return Graph.Node("Unsqueeze", [causal, Graph.Constant([0, 1])]);
        var real = Graph.Node("Unsqueeze", [Graph.Cast(attentionMask, DataType.Bool), Graph.Constant([1, 2])]); // [B, 1, 1, S]

        // A padded query would have no key at all: it sees itself, and nobody reads it.
        var itself = Graph.Node("Equal", [keys, queries]);                                           // [T, S]
        return Graph.Node("Or", [Graph.Node("And", [causal, real]), itself]);
    }

    /// <summary>All keys but padding, and those of a row that is nothing but padding all: [B, 1, 1, S].</summary>
    private static Value Seen(GraphBuilder graph, Value attentionMask)
    {
        var any = graph.Node("ReduceMax", [attentionMask, graph.Constant([1])], ("keepdims", 1L));   // [B, 1]
        var seen = graph.Node("Or", [graph.Cast(attentionMask, DataType.Bool), graph.Node("Not", [graph.Cast(any, DataType.Bool)])]);
        return graph.Node("Unsqueeze", [seen, graph.Constant([1, 2])]);
    }

    /// <summary>[1, H, T, S].</summary>
    private Value Relative(RelativeBias bias)
    {
        if (_relative.TryGetValue(bias, out var known))
            return known;

        // The bucket of every distance is a constant: a logarithm of ONNX Runtime could fall on the other side of a border.
        var farthest = bias.MaximumDistance;
        var buckets = Enumerable.Range(-farthest, 2 * farthest + 1).Select(offset => (long)bias.Bucket(offset)).ToArray();
        var name = $"{bias.Table}.buckets";
        var table = Graph.Add(name, () => new Initializer(
            name, DataType.Int64, [buckets.Length], stream => stream.Write(MemoryMarshal.AsBytes(buckets.AsSpan()))));
        var offsets = Graph.Node("Sub", [sequence.Keys, sequence.QueryColumn]);                      // [T, S]
        var (lowest, highest) = (Graph.Constant([-farthest], isScalar: true), Graph.Constant([farthest], isScalar: true));
        var bounded = Graph.Node("Clip", [offsets, lowest, highest]);
        var places = Graph.Node("Gather", [table, Graph.Sum(bounded, highest)], ("axis", 0L));
        var vectors = Graph.Node("Gather", [layers.Unquantized(bias.Table), places], ("axis", 0L));  // [T, S, H]
        var value = Graph.Node("Unsqueeze", [Graph.Transpose(vectors, 2, 0, 1), Graph.Constant([0])]);
        _relative.Add(bias, value);
        return value;
    }
}
