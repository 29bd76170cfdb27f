using MLTransfer.Onnx.Graphs;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>How many positions there are, and their numbers by column.</summary>
/// <param name="graph">Takes the nodes, at the first question.</param>
/// <param name="inputIds">[batch, T], or [batch, streams, T].</param>
/// <param name="dimension">Where T is in it.</param>
/// <param name="pastKey">[batch, heads, P, head width]; null where there is no past.</param>
internal sealed class SequenceNodes(GraphBuilder graph, Value inputIds, int dimension, Value? pastKey)
{
    private (Value Length, Value Keys, Value Queries)? _positions;

    /// <summary>A scalar: P + T.</summary>
    public Value Length => (_positions ??= Create()).Length;

    /// <summary>[S]: 0 to P + T - 1.</summary>
    public Value Keys => (_positions ??= Create()).Keys;

    /// <summary>[T]: P to P + T - 1.</summary>
    public Value Queries => (_positions ??= Create()).Queries;

    /// <summary>[T, 1].</summary>
    public Value QueryColumn => field ??= graph.Node("Unsqueeze", [Queries, graph.Constant([1])]);

    /// <summary>[1, T].</summary>
    public Value QueryRow => field ??= graph.Node("Unsqueeze", [Queries, graph.Constant([0])]);

    private (Value Length, Value Keys, Value Queries) Create()
    {
        var zero = graph.Constant([0], isScalar: true);
        var one = graph.Constant([1], isScalar: true);
        var queries = graph.Size(inputIds, dimension);                   // T
        var past = pastKey is null ? zero : graph.Size(pastKey, 2);      // P
        var keys = graph.Sum(past, queries);                             // S
        return (keys, graph.Node("Range", [zero, keys, one]), graph.Node("Range", [past, keys, one]));
    }
}
