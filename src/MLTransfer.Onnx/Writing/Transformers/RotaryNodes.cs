using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>Turns queries and keys by their positions.</summary>
/// <param name="layers">Makes the nodes.</param>
/// <param name="positions">[B or 1, T] int64; null where they are counted by column.</param>
/// <param name="sequence">The positions by column.</param>
internal sealed class RotaryNodes(LayerNodes layers, Value? positions, SequenceNodes sequence)
{
    private readonly Dictionary<Rotary, (Value Cosines, Value Sines)> _turns = [];

    private GraphBuilder Graph => layers.Graph;

    /// <summary>Cosines and sines, each [B or 1, 1, T, width / 2]; computed in float32 and rounded once.</summary>
    /// <exception cref="NotSupportedException">The rotation depends on the length of the text.</exception>
    public (Value Cosines, Value Sines) Turns(Rotary rotary)
    {
        if (_turns.TryGetValue(rotary, out var known))
            return known;
        var table = new RotaryTable(rotary);
        float[] frequencies = [.. table.Frequencies(length: 0).Select(frequency => (float)frequency)];
        var angles = Graph.Product(
            Graph.Node("Unsqueeze", [Graph.Cast(positions ?? sequence.QueryRow, DataType.Float), Graph.Constant([1, 3])]), // [B, 1, T, 1]
            Graph.Constant($"rotary_{_turns.Count}.frequencies", frequencies, frequencies.Length));
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

    /// <summary>Turns the first values of each head: [B, H, T, D] to the same shape.</summary>
    public Value Turn(Value heads, Rotary rotary, int headWidth)
    {
        var (cosines, sines) = Turns(rotary);
        var (half, rest) = (rotary.Width / 2, headWidth - rotary.Width);
        if (rotary.Pairing == Pairing.Halves)
        {
            var parts = Split(heads, rest > 0 ? [half, half, rest] : [half, half]);
            var (a, b) = TurnPairs(parts[0], parts[1]);
            return Graph.Concatenate(-1, [a, b, .. parts[2..]]);
        }

        var split = rest > 0 ? Split(heads, [rotary.Width, rest]) : [heads];
        var pairs = Split(Graph.Reshape(split[0], 0, 0, -1, half, 2), [1, 1]);                       // each [B, H, T, width / 2, 1]
        var last = Graph.Constant([-1]);
        var (first, second) = TurnPairs(Graph.Node("Squeeze", [pairs[0], last]), Graph.Node("Squeeze", [pairs[1], last]));
        var turned = Graph.Concatenate(-1, Graph.Node("Unsqueeze", [first, last]), Graph.Node("Unsqueeze", [second, last]));
        return rest > 0
            ? Graph.Concatenate(-1, Graph.Reshape(turned, 0, 0, -1, rotary.Width), split[1])
            : Graph.Reshape(turned, 0, 0, -1, rotary.Width);

        (Value First, Value Second) TurnPairs(Value x, Value y) => (
            Graph.Node("Sub", [Graph.Product(x, cosines), Graph.Product(y, sines)]),
            Graph.Sum(Graph.Product(y, cosines), Graph.Product(x, sines)));

        Value[] Split(Value value, long[] sizes) =>
            Graph.Nodes("Split", sizes.Length, [value, Graph.Constant(sizes)], attributes: ("axis", -1L));
    }
}
