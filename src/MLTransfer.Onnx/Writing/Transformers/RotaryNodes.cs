using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>Turns queries and keys by their positions.</summary>
/// <param name="layers">Makes the nodes.</param>
/// <param name="positions">[B or 1, T] int64; null where they are counted by column.</param>
/// <param name="sequence">The positions by column.</param>
/// <param name="context">The most positions of the network.</param>
/// <param name="keepsKeys">Whether another pass takes the keys: then they have to be turned as the longest text asks for.</param>
internal sealed class RotaryNodes(LayerNodes layers, Value? positions, SequenceNodes sequence, int context, bool keepsKeys)
{
    private readonly Dictionary<Rotary, (Value Cosines, Value Sines)> _turns = [];

    private GraphBuilder Graph => layers.Graph;

    /// <summary>Cosines and sines, each [B or 1, 1, T, width / 2]; computed in float32 and rounded once.</summary>
    /// <remarks>
    /// Where they depend on the length of a text, a graph that keeps keys computes up to the length where they change, and a longer text is
    /// an error of its run; one that keeps none goes by the length of its pass.
    /// </remarks>
    public (Value Cosines, Value Sines) Turns(Rotary rotary)
    {
        if (_turns.TryGetValue(rotary, out var known))
            return known;
        var table = new RotaryTable(rotary);
        var limit = rotary.Scaling?.UnchangedLength is { } length && length < context ? length : (int?)null;
        var numbers = positions ?? sequence.QueryRow;
        var places = keepsKeys && limit is { } most ? Bounded(numbers, most, rotary) : Graph.Cast(numbers, DataType.Float); // [B or 1, T]
        var angles = Graph.Product(
            Graph.Node("Unsqueeze", [places, Graph.Constant([1, 3])]), // [B, 1, T, 1]
            limit is { } changes && !keepsKeys ? ByLength(rotary, table, changes) : Frequencies("frequencies", table, 0));
        var turns = (Factor("Cos"), Factor("Sin"));
        _turns.Add(rotary, turns);
        return turns;

        Value Factor(string function)
        {
            var value = Graph.Node(function, [angles]);
            if (table.AttentionFactor != 1)
                value = Graph.Product(value, Graph.Constant(table.AttentionFactor, DataType.Float));
            return layers.Cast(value, DataType.Float, layers.Type);
        }
    }

    /// <summary>[width / 2].</summary>
    private Value Frequencies(string name, RotaryTable table, int length) =>
        Constant(name, [.. table.Frequencies(length).Select(frequency => (float)frequency)]);

    private Value Constant(string name, float[] values) => Graph.Constant($"rotary_{_turns.Count}.{name}", values, values.Length);

    /// <summary>The frequencies of a pass of this length: [width / 2].</summary>
    private Value ByLength(Rotary rotary, RotaryTable table, int limit)
    {
        if (rotary.Scaling is not DynamicScaling dynamic)
        {
            return Graph.Node("Where", [
                Graph.Node("Greater", [sequence.Length, Graph.Constant([limit], isScalar: true)]),
                Frequencies("long", table, limit + 1), Frequencies("short", table, limit)]);
        }

        // (theta g^(d / (d - 2)))^(-2i / d) is theta^(-2i / d) g^(-2i / (d - 2)), and the frequency of the first pair is always 1.
        var factor = Graph.Constant(dynamic.Factor / limit, DataType.Float);
        var grown = Graph.Sum(
            Graph.Product(Graph.Cast(sequence.Length, DataType.Float), factor), Graph.Constant(1 - dynamic.Factor, DataType.Float));
        var growth = Graph.Node("Max", [grown, Graph.Constant(1.0, DataType.Float)]);
        var powers = Enumerable.Range(0, rotary.Width / 2).Select(i => i == 0 ? 0 : (float)(-2.0 * i / (rotary.Width - 2)));
        return Graph.Product(Frequencies("frequencies", table, limit), Graph.Node("Pow", [growth, Constant("powers", [.. powers])]));
    }

    /// <summary>Positions as numbers, [B, T] float32; one beyond the limit ends the run with an error that names the entry.</summary>
    private Value Bounded(Value numbers, int limit, Rotary rotary)
    {
        var entry = rotary.Scaling is LongRopeScaling ? "original_max_position_embeddings" : "max_position_embeddings";
        Graph.EnterScope($"/positions_below_{entry}");
        float[] all = [.. Enumerable.Range(0, limit).Select(position => (float)position)];
        return Graph.Node("Gather", [Constant($"positions_below_{entry}", all), numbers], ("axis", 0L));
    }

    /// <summary>Turns the first values of each head: [B, H, T, D] to the same shape.</summary>
    public Value Turn(Value heads, Rotary rotary, int headWidth) =>
        Turn(Graph, heads, Turns(rotary), rotary.Pairing, rotary.Width, headWidth);

    /// <summary>Turns the first values of each head: [B, H, T, D] to the same shape.</summary>
    /// <param name="graph">Takes the nodes.</param>
    /// <param name="heads">The heads.</param>
    /// <param name="turns">Cosines and sines, as many for each position as there are pairs.</param>
    /// <param name="pairing">Which values are a pair.</param>
    /// <param name="width">Values that are turned.</param>
    /// <param name="headWidth">D.</param>
    public static Value Turn(
        GraphBuilder graph, Value heads, (Value Cosines, Value Sines) turns, Pairing pairing, int width, int headWidth)
    {
        var (half, rest) = (width / 2, headWidth - width);
        if (pairing == Pairing.Halves)
        {
            var parts = Split(heads, rest > 0 ? [half, half, rest] : [half, half]);
            var (a, b) = TurnPairs(parts[0], parts[1]);
            return graph.Concatenate(-1, [a, b, .. parts[2..]]);
        }

        var split = rest > 0 ? Split(heads, [width, rest]) : [heads];
        var pairs = Split(graph.Reshape(split[0], 0, 0, -1, half, 2), [1, 1]);                       // each [B, H, T, width / 2, 1]
        var last = graph.Constant([-1]);
        var (first, second) = TurnPairs(graph.Node("Squeeze", [pairs[0], last]), graph.Node("Squeeze", [pairs[1], last]));
        var turned = graph.Concatenate(-1, graph.Node("Unsqueeze", [first, last]), graph.Node("Unsqueeze", [second, last]));
        return rest > 0
            ? graph.Concatenate(-1, graph.Reshape(turned, 0, 0, -1, width), split[1])
            : graph.Reshape(turned, 0, 0, -1, width);

        (Value First, Value Second) TurnPairs(Value x, Value y) => (
            graph.Node("Sub", [graph.Product(x, turns.Cosines), graph.Product(y, turns.Sines)]),
            graph.Sum(graph.Product(y, turns.Cosines), graph.Product(x, turns.Sines)));

        Value[] Split(Value value, long[] sizes) =>
            graph.Nodes("Split", sizes.Length, [value, graph.Constant(sizes)], attributes: ("axis", -1L));
    }
}
