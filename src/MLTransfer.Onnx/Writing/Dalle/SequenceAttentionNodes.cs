using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Dalle;

/// <summary>Attention of a DALL-E: every kind keeps keys and values of all positions, and a row of its mask says which a position
/// sees.</summary>
/// <remarks>B: batch, T: new positions, S: new ones and those before, H: heads, D: width of a head.</remarks>
internal sealed class SequenceAttentionNodes
{
    private const string Angles = "transformer.pos_emb";

    private readonly DalleConfiguration _sizes;
    private readonly LayerNodes _layers;
    private readonly GraphBuilder _graph;
    private readonly PastNodes[] _past;
    private readonly Dictionary<AttentionKind, Value> _biases;
    private readonly Func<Value, Value>? _turn;

    /// <param name="sizes">The transformer's.</param>
    /// <param name="layers">Makes the nodes.</param>
    /// <param name="places">What is read.</param>
    /// <param name="past">By layer, as <see cref="TakePast"/> gives them.</param>
    public SequenceAttentionNodes(DalleConfiguration sizes, LayerNodes layers, SequencePlaces places, PastNodes[] past)
    {
        (_sizes, _layers, _graph, _past) = (sizes, layers, layers.Graph, past);
        _graph.EnterScope("/attention_masks");
        _biases = sizes.Kinds.Distinct().ToDictionary(kind => kind, kind => Bias(kind, places.Sequence));
        _turn = Rotation(places.Sequence);
    }

    /// <summary>Inputs of keys and values of the positions before.</summary>
    public static PastNodes[] TakePast(DalleConfiguration sizes, LayerNodes layers)
    {
        PastNodes[] past =
        [
            .. Enumerable.Range(0, sizes.Depth).Select(layer => new PastNodes($"{layer}", Describe(sizes, ""))
            {
                IsGiven = true, GivenLength = "past_sequence_length + sequence_length",
            }),
        ];
        Array.ForEach(past, own => own.Take(layers.Graph, layers.Type, "past_sequence_length"));
        return past;
    }

    /// <summary>[B, T, C] to the same shape.</summary>
    /// <param name="x">What is read.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="name">Of the attention, which several layers may have.</param>
    public Value Add(Value x, int layer, string name) => new AttentionNodes(_layers, Describe(_sizes, name)).AddSelf(
        x, _biases[_sizes.Kinds[layer]], rotation: null, _past[layer], _turn);

    /// <summary>Adds the outputs of keys and values.</summary>
    public void AddOutputs() => Array.ForEach(_past, own => own.AddOutputs(_graph, _layers.Type));

    private static Attention Describe(DalleConfiguration sizes, string name) => new(
        sizes.Heads, sizes.Heads, sizes.HeadWidth, 1 / Math.Sqrt(sizes.HeadWidth), Packing.Rows,
        [new Projection($"{name}.to_qkv", HasBias: false, 0)], new Projection($"{name}.to_out.0", HasBias: true, 0));

    /// <summary>0 where a position sees another, else the lowest number: [1, 1, T, S].</summary>
    private Value Bias(AttentionKind kind, SequenceNodes sequence)
    {
        var (name, positions) = ($"mask_{kind}", _sizes.TextPositions + _sizes.ImageLength);
        var mask = _graph.Add(name, () => new Initializer(name, DataType.Bool, [positions, positions], stream =>
        {
            using var allowed = AttentionPattern.Mask(kind, _sizes.TextPositions, _sizes.Side, positions, CPU);
            stream.Write(allowed.bytes);
        }));
        var rows = _graph.Node("Gather", [mask, sequence.Queries], ("axis", 0L));                      // [T, all positions]
        var length = _graph.Node("Unsqueeze", [sequence.Length, _graph.Constant([0])]);
        var seen = _graph.Node("Slice", [rows, _graph.Constant([0]), length, _graph.Constant([1])]);  // [T, S]
        return ScoreBiasNodes.ToBias(_layers, _graph.Node("Unsqueeze", [seen, _graph.Constant([0, 1])]), _layers.Type);
    }

    /// <summary>Turns pairs of a head, [B, H, T, D], by the angles of the positions; null where there are none.</summary>
    private Func<Value, Value>? Rotation(SequenceNodes sequence)
    {
        var width = SequenceRotation.Width(_sizes.HeadWidth);
        if (!_sizes.Rotary || width == 0)
            return null;
        var turns = (Of("cosines", angles => angles.cos()), Of("sines", angles => angles.sin()));     // [T, pairs] each
        return heads => RotaryNodes.Turn(_graph, heads, turns, Pairing.Neighbours, width, _sizes.HeadWidth);

        Value Of(string function, Func<Tensor, Tensor> compute)
        {
            var name = $"{Angles}.{function}";
            var table = _graph.Add(name, () => TensorContent.Initializer(
                name, _layers.Type, () => compute(SequenceRotation.Angles(_sizes).view(-1, width / 2, 2).select(2, 0))));
            return _graph.Node("Gather", [table, sequence.Queries], ("axis", 0L));
        }
    }
}
