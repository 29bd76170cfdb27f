using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Networks.MusicGen;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing;

/// <summary>The parts of a MusicGen as graphs, with the inputs and outputs that Hugging Face Optimum gives them.</summary>
/// <remarks>B: batch, K: codebooks, T: new columns, S: tokens of captions, L: columns in all.</remarks>
internal static class MusicGenGraph
{
    /// <summary><c>input_ids</c> and <c>attention_mask</c> to <c>last_hidden_state</c>, not projected.</summary>
    public static GraphBuilder TextEncoder(MusicGenModel model, OnnxPrecision precision)
    {
        var graph = new GraphBuilder();
        var parameters = new ModelParameters(model.TextEncoder, separateAdapter: false);
        new TransformerGraph(
            model.TextEncoder,
                new GraphOptions(graph, WeightFormat.Create(precision, graph), parameters, FusedOperators: false)).BuildEncoder();
        return graph;
    }

    /// <summary>
    /// <c>input_ids</c> [B K, T], <c>encoder_attention_mask</c>, <c>encoder_hidden_states</c>, <c>past_key_values.N...</c> and
    /// <c>use_cache_branch</c> to <c>logits</c> [B K, T, codes] and <c>present.N...</c>. Captions are projected in it.
    /// </summary>
    public static GraphBuilder Decoder(MusicGenModel model, OnnxPrecision precision)
    {
        var graph = new GraphBuilder();
        var format = WeightFormat.Create(precision, graph);
        var options = new GraphOptions(graph, format, new ModelParameters(model.Decoder, separateAdapter: false), FusedOperators: false);
        new TransformerGraph(model.Decoder, options).BuildCrossDecoder(PastUse.Either, new CrossDecoderForm(
            model.TextEncoder.Description.Output.Width, (states, mask) => Project(graph, model, format.ComputeType, states, mask),
            HasFlatStreams: true));
        return graph;
    }

    /// <summary>
    /// <c>input_ids</c> [B K, P], <c>pad_token_id</c> and <c>max_length</c> (scalars) to <c>input_ids_edited</c> [B K, P] and
    /// <c>delay_pattern_mask</c> [B K, L], -1 where ids are generated: <see cref="DelayPattern.Mask"/>.
    /// </summary>
    public static GraphBuilder DelayMask(DelayPattern pattern)
    {
        const string Rows = "batch_size_x_num_codebooks";
        var graph = new GraphBuilder();
        var ids = graph.Input("input_ids", DataType.Int64, Rows, "prompt_length");
        var padding = graph.Input("pad_token_id", DataType.Int64);
        var length = graph.Input("max_length", DataType.Int64);
        graph.EnterScope("/delay_pattern");
        var (zero, one, depth) = (Number(0), Number(1), Number(pattern.Depth));
        var prompt = graph.Size(ids, 1);

        // [K, L]: the place of each column in its codebook, before delays.
        var delays = graph.Constant([.. Enumerable.Range(0, pattern.Codebooks).Select(codebook => (long)pattern.DelayOf(codebook))]);
        var places = graph.Node(
            "Sub", [graph.Node("Range", [zero, length, one]), graph.Node("Unsqueeze", [delays, graph.Constant([1])])]);
        var isPadding = graph.Node("Or", [
            graph.Node("LessOrEqual", [places, zero]),
            graph.Node("Greater", [places, graph.Node("Sub", [length, depth])])]);
        var isGiven = graph.Node("Less", [places, prompt]);

        // [B, K, L]: the given ids where they come to stand.
        var given = graph.Reshape(graph.Node("Unsqueeze", [ids, graph.Constant([0])]), -1, pattern.Codebooks, 0); // [B, K, P]
        var inside = graph.Node("Clip", [places, zero, graph.Node("Sub", [prompt, one])]);
        var batch = graph.Node("Unsqueeze", [graph.Size(given, 0), graph.Constant([0])]);
        var indices = graph.Node("Expand", [inside, graph.Concatenate(0, batch, graph.Node("Shape", [inside]))]);
        var moved = graph.Node("GatherElements", [given, indices], ("axis", 2L));
        var free = Number(DelayPattern.Generated);
        var all = graph.Node("Where", [isPadding, padding, graph.Node("Where", [isGiven, moved, free])]);
        var flat = graph.Node("Reshape", [all, graph.Concatenate(
            0, graph.Constant([-1]), graph.Node("Unsqueeze", [length, graph.Constant([0])]))]);                    // [B K, L]

        // What is too short for the delays is left as it is.
        var isShort = graph.Node("Less", [length, Number(2 * pattern.Depth - 1)]);
        var start = graph.Node("Slice", [
            flat, graph.Constant([0]), graph.Node("Unsqueeze", [prompt, graph.Constant([0])]), graph.Constant([1])]);
        graph.Output("input_ids_edited", graph.Node("Where", [isShort, ids, start]), DataType.Int64, Rows, "prompt_length");
        graph.Output("delay_pattern_mask", graph.Node("Where", [isShort, free, flat]), DataType.Int64, Rows, "max_length");
        return graph;

        Value Number(long value) => graph.Constant([value], isScalar: true);
    }

    /// <summary>[B, S, width of the text encoder] to [B, S, width of the decoder], zeros where the mask is 0.</summary>
    private static Value Project(GraphBuilder graph, MusicGenModel model, DataType type, Value states, Value mask)
    {
        if (model.Projection is { } projection)
        {
            const string Name = MusicGenConfiguration.ProjectionName;
            var weight = graph.Add(Name + ".weight", () => TensorContent.Initializer(
                Name + ".weight", type, () => (projection.Adapter is null ? projection.Weight : projection.MergedWeight()).t()));
            states = graph.Sum(
                graph.MatrixProduct(states, weight),
                graph.Add(Name + ".bias", () => TensorContent.Initializer(Name + ".bias", type, () => projection.get_parameter("bias")!)));
        }

        return graph.Product(states, graph.Node("Unsqueeze", [graph.Cast(mask, type), graph.Constant([-1])]));
    }
}
