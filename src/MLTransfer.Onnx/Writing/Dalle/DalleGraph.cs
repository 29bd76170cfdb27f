using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Dalle;

/// <summary>The transformer of a DALL-E over one sequence of a text and then the codes of a picture.</summary>
/// <remarks>
/// <c>input_ids</c> [B, T] and <c>past_key_values.N...</c> to <c>logits</c> [B, T, text tokens and codes] and <c>present.N...</c>. Ids are
/// numbered as logits are: what a position draws is what the next one reads. B: batch, T: new positions, P: positions before, S: both, C:
/// width.
/// </remarks>
internal sealed class DalleGraph
{
    private const string Tokens = "token_emb.weight", Positions = "pos_emb.weight", TextLogits = "logits_of_text";

    private readonly DalleConfiguration _sizes;
    private readonly DalleNames _names;
    private readonly GraphOptions _options;
    private readonly GraphBuilder _graph;
    private readonly LayerNodes _layers;
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly SequencePlaces _places;
    private readonly SequenceAttentionNodes _attention;
    private readonly TokenShiftNodes? _shift;

    private DalleGraph(DalleModel model, GraphOptions options)
    {
        (_sizes, _names, _options, _graph) = (model.Sizes, model.Names, options, options.Graph);
        (_layers, _tensors) = (new LayerNodes(options), new(model.CheckpointTensors()));
        var ids = _graph.Input("input_ids", DataType.Int64, "batch_size", "sequence_length");
        var past = SequenceAttentionNodes.TakePast(_sizes, _layers);
        _places = new SequencePlaces(ids, new SequenceNodes(_graph, ids, 1, past[0].Before!.Value.Key));
        _shift = _sizes.ShiftsTokens ? new TokenShiftNodes(_sizes, _layers, _places) : null;
        _attention = new SequenceAttentionNodes(_sizes, _layers, _places, past);
    }

    public static GraphBuilder Build(DalleModel model, OnnxPrecision precision)
    {
        var graph = new GraphBuilder();
        var built = new DalleGraph(model, new GraphOptions(
            graph, WeightFormat.Create(precision, graph), new ModelParameters(model, separateAdapter: false), FusedOperators: false));
        built.AddLogits(built.AddLayers(built.Embed()));
        built._attention.AddOutputs();
        built._shift?.AddOutputs();
        return graph;
    }

    /// <summary>Vectors of tokens and, where positions are not turned, of places: [B, T, C].</summary>
    private Value Embed()
    {
        _graph.EnterScope("/embeddings");

        // 0 is the start, and behind it the padding that the place has a token of its own for.
        var places = _places.Sequence.QueryRow;                                                      // [1, T]
        var isPadding = _graph.Node("And", [
            _graph.Node("Equal", [_places.Ids, Number(0)]), _graph.Node("Greater", [places, Number(0)])]);
        var ids = _graph.Node("Where", [isPadding, _graph.Sum(places, Number(_sizes.TextVocabulary - 1)), _places.Ids]);
        var vectors = _sizes.SharesEmbeddings ? _layers.ReadRows(ids, DalleNames.Head + ".weight")
            : _options.Format.ReadRows(ids, new WeightMatrix(Tokens, WeightLayout.OutputByInput, _sizes.Width, _sizes.Logits, ReadTokens));
        if (_sizes.Rotary)
            return vectors;
        var table = _graph.Add(Positions, () => TensorContent.Initializer(Positions, _layers.Type, () => cat(
            [
                _tensors[DalleNames.TextPositions + ".weight"],
                (_tensors[DalleNames.RowPositions] + _tensors[DalleNames.ColumnPositions]).view(-1, _sizes.Width),
            ])));
        return _graph.Sum(vectors, _graph.Node("Gather", [table, _places.Sequence.Queries], ("axis", 0L)));

        Value Number(long value) => _graph.Constant([value], isScalar: true);
    }

    private Tensor ReadTokens()
    {
        using var gradients = no_grad();
        return cat([_tensors[DalleNames.TextTable + ".weight"].detach(), _tensors[DalleNames.ImageTable + ".weight"].detach()]);
    }

    /// <summary>The layers one after the other, or reversible pairs over two streams: [B, T, C].</summary>
    private Value AddLayers(Value x)
    {
        var (first, second) = (x, _sizes.Reversible ? x : null);
        for (var layer = 0; layer < _sizes.Depth; layer++)
        {
            first = _graph.Sum(first, AddPart(layer, isAttention: true, second ?? first));
            if (second is null)
                first = _graph.Sum(first, AddPart(layer, isAttention: false, first));
            else
                second = _graph.Sum(second, AddPart(layer, isAttention: false, first));
        }

        return second is null ? first : _graph.Product(_graph.Sum(first, second), _layers.Number(0.5));
    }

    /// <summary>What a half of a layer adds: [B, T, C].</summary>
    private Value AddPart(int layer, bool isAttention, Value x)
    {
        var name = _names.Part(layer, isAttention);
        _graph.EnterScope("/" + name.Replace('.', '/'));
        x = _layers.Normalize(x, Norm($"{name}.fn.norm"), _sizes.Width);
        if (_shift is not null)
            x = _shift.Shift(x, layer, isAttention);
        var function = _names.Function(isAttention ? _sizes.AttentionOwners[layer] : _sizes.FeedForwardOwners[layer], isAttention);
        x = isAttention ? _attention.Add(x, layer, function) : Feed(x, function);
        if (_sizes.SandwichNorms)
            x = _layers.Normalize(x, Norm($"{name}.fn.norm_out"), _sizes.Width);
        return _graph.Product(x, _layers.Unquantized($"{name}.scale"));
    }

    /// <summary>One half times the GELU of the other.</summary>
    private Value Feed(Value x, string name)
    {
        long inner = GatedFeedForward.Multiple * _sizes.Width;
        var halves = _graph.Nodes(
            "Split", 2, [_layers.Linear(x, new Projection($"{name}.net.0", HasBias: true, 0)), _graph.Constant([inner, inner])],
            attributes: ("axis", -1L));
        var gate = ActivationNodes.Apply(_graph, Activation.Gelu, halves[1], _layers.Type);
        return _layers.Linear(_graph.Product(halves[0], gate), new Projection($"{name}.net.3", HasBias: true, 0));
    }

    /// <summary>Logits of all tokens, those that a position may not draw the lowest number.</summary>
    private void AddLogits(Value x)
    {
        _graph.EnterScope("/to_logits");
        if (_sizes.Stable)
            x = _graph.Node("Div", [x, _graph.Node("ReduceMax", [x, _graph.Constant([-1])], ("keepdims", 1L))]);
        x = _layers.Normalize(x, Norm(DalleNames.HeadNorm), _sizes.Width);
        var logits = _graph.Sum(
            _layers.MultiplyRows(x, DalleNames.Head + ".weight"), _layers.Unquantized(DalleNames.Head + ".bias"));
        var ofText = _graph.Add(TextLogits, () => new Initializer(TextLogits, DataType.Bool, [_sizes.Logits], stream =>
        {
            for (var id = 0; id < _sizes.Logits; id++)
                stream.WriteByte((byte)(id < _sizes.TextRows ? 1 : 0));
        }));
        var isText = _graph.Node("Less", [_places.Sequence.QueryColumn, _graph.Constant([_sizes.TextLength], isScalar: true)]);  // [T, 1]
        var lowest = _layers.Type == DataType.Float16 ? (double)Half.MinValue : float.MinValue;
        logits = _graph.Node("Where", [_graph.Node("Equal", [isText, ofText]), logits, _layers.Number(lowest)]);
        _graph.Output("logits", logits, _layers.Type, "batch_size", "sequence_length", (long)_sizes.Logits);
    }

    private static Norm Norm(string name) => new(name, NormKind.Layer, DalleBuilder.Epsilon);
}
