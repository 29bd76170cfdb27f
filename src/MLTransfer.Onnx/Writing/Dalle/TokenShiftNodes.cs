using System.Runtime.InteropServices;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Networks.Dalle;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Dalle;

/// <summary>Channels that come from the position before or, of a picture, from the code above: see <see cref="TokenShift"/>.</summary>
/// <remarks>
/// What each half of a layer reads is kept of as many positions as a picture has codes along its side:
/// <c>past_key_values.N.attention</c> and <c>.feed_forward</c>, [B, 1, up to so many, C]. B: batch, T: new positions, P: kept ones, C:
/// width.
/// </remarks>
internal sealed class TokenShiftNodes
{
    private const string PastLength = "past_shift_length", GivenLength = "shift_length", Kinds = "shift.kinds", Sources = "shift.sources";

    private readonly DalleConfiguration _sizes;
    private readonly LayerNodes _layers;
    private readonly GraphBuilder _graph;
    private readonly Dictionary<(int Layer, bool IsAttention), Value> _past = [];
    private readonly List<(string Name, Value Value)> _given = [];
    private readonly Value _isLeft, _isAbove, _isNothing; // [T, C]

    /// <param name="sizes">The transformer's.</param>
    /// <param name="layers">Makes the nodes.</param>
    /// <param name="places">What is read.</param>
    public TokenShiftNodes(DalleConfiguration sizes, LayerNodes layers, SequencePlaces places)
    {
        (_sizes, _layers, _graph) = (sizes, layers, layers.Graph);
        for (var layer = 0; layer < sizes.Depth; layer++)
        {
            foreach (var isAttention in (bool[])[true, false])
            {
                _past.Add((layer, isAttention), _graph.Input(
                    $"past_key_values.{Name(layer, isAttention)}", layers.Type, "batch_size", 1L, PastLength, (long)sizes.Width));
            }
        }

        _graph.EnterScope("/shift");
        var kinds = _graph.Node("Gather", [Table(Kinds, 1, ShiftPattern.Kinds(sizes)), places.Sequence.Queries], ("axis", 0L));
        var sources = _graph.Node("Gather", [Table(Sources, sizes.Width, ShiftPattern.Sources(sizes)), kinds], ("axis", 0L));  // [T, C]
        (_isLeft, _isAbove, _isNothing) = (Is(ShiftSource.Left), Is(ShiftSource.Above), Is(ShiftSource.Nothing));

        Value Is(ShiftSource source) => _graph.Node("Equal", [sources, _graph.Constant([(long)source], isScalar: true)]);
    }

    /// <summary>[B, T, C] to the same shape.</summary>
    public Value Shift(Value x, int layer, bool isAttention)
    {
        var past = _graph.Node("Squeeze", [_past[(layer, isAttention)], _graph.Constant([1])]);        // [B, P, C]
        var all = _graph.Concatenate(1, past, x);                                                    // [B, P + T, C]
        _given.Add((Name(layer, isAttention), _graph.Node("Unsqueeze", [Last(all, _sizes.Side), _graph.Constant([1])])));

        // Zeros before all that is kept: position t is at side + P + t.
        var padded = _graph.Node("Pad", [all, _graph.Constant([0, _sizes.Side, 0, 0, 0, 0])], ("mode", "constant"));
        var left = Before(1);
        var above = Before(_sizes.Side);
        var shifted = _graph.Node("Where", [_isLeft, left, _graph.Node("Where", [_isAbove, above, x])]);
        return _graph.Node("Where", [_isNothing, _layers.Number(0), shifted]);

        // What was read so many positions before each: [B, T, C].
        Value Before(int positions)
        {
            var count = _graph.Node("Shape", [x], ("start", 1L), ("end", 2L));                       // T
            var end = _graph.Node("Sub", [
                _graph.Node("Shape", [padded], ("start", 1L), ("end", 2L)), _graph.Constant([(long)positions])]);
            return _graph.Node("Slice", [padded, _graph.Node("Sub", [end, count]), end, _graph.Constant([1])]);
        }
    }

    /// <summary>Adds the outputs of what is kept.</summary>
    public void AddOutputs()
    {
        foreach (var (name, value) in _given)
            _graph.Output($"present.{name}", value, _layers.Type, "batch_size", 1L, GivenLength, (long)_sizes.Width);
    }

    private static string Name(int layer, bool isAttention) => $"{layer}.{(isAttention ? "attention" : "feed_forward")}";

    /// <summary>The last positions, or all where there are fewer.</summary>
    private Value Last(Value all, int positions) =>
        _graph.Node("Slice", [all, _graph.Constant([-(long)positions]), _graph.Constant([long.MaxValue]), _graph.Constant([1])]);

    /// <param name="name">The name of the constant.</param>
    /// <param name="width">The length of a row; 1 for numbers without rows.</param>
    /// <param name="values">Row by row.</param>
    private Value Table(string name, int width, long[] values) => _graph.Add(name, () => new Initializer(
        name, DataType.Int64, width == 1 ? [values.Length] : [values.Length / width, width],
        stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan()))));
}
