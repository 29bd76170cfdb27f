using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>Transformers as graphs, made from their description with the inputs and outputs that Hugging Face Optimum gives them.</summary>
/// <remarks>B: batch, T: new positions, P: past, S: past + new, C: width.</remarks>
internal sealed class TransformerGraph
{
    private const string PastLength = "past_sequence_length";
    private const string Length = "sequence_length";
    private const string EncoderLength = "encoder_sequence_length";

    private readonly Transformer _description;
    private readonly LayerNodes _layers;
    private readonly GraphBuilder _graph;

    public TransformerGraph(TransformerNetwork network, GraphOptions options)
    {
        (_description, _layers, _graph) = (network.Description, new LayerNodes(options), options.Graph);
    }

    /// <summary>
    /// An encoder: <c>input_ids</c>, <c>attention_mask</c> and, where there are several, <c>token_type_ids</c> to <c>logits</c>, or to
    /// <c>last_hidden_state</c> where it has no head.
    /// </summary>
    public void BuildEncoder()
    {
        var stack = _description.Encoder!;
        var inputIds = _graph.Input("input_ids", DataType.Int64, "batch_size", Length);
        var attentionMask = _graph.Input("attention_mask", DataType.Int64, "batch_size", Length);
        var tokenTypes = stack.Input.Types is { Rows: > 1 } ? _graph.Input("token_type_ids", DataType.Int64, "batch_size", Length) : null;
        var sequence = new SequenceNodes(_graph, inputIds, 1, pastKey: null);

        var hidden = Embed(stack, inputIds, positionIds: null, attentionMask, tokenTypes, sequence);
        hidden = AddBlocks(stack, _description.BlockPrefixes, hidden, positions: null, attentionMask, sequence, past: null, cross: null);
        if (stack.Heads.Length > 0)
            AddLogits(stack, hidden);
        else
            _graph.Output("last_hidden_state", hidden, _layers.Type, "batch_size", Length, stack.Width);
    }

    /// <summary>
    /// A decoder: <c>input_ids</c>, <c>attention_mask</c>, <c>position_ids</c> and <c>past_key_values.N.key</c> and <c>.value</c> to
    /// <c>logits</c> and <c>present.N.key</c> and <c>.value</c>.
    /// </summary>
    public void BuildDecoder(PastUse use)
    {
        var stack = _description.Decoder!;
        var length = use == PastUse.Continued ? $"{PastLength} + {Length}" : Length;
        var inputIds = Ids(stack);
        var attentionMask = _graph.Input("attention_mask", DataType.Int64, "batch_size", length);
        var positionIds = _graph.Input("position_ids", DataType.Int64, "batch_size", Length);
        PastNodes[] past =
        [
            .. stack.Blocks.Select((block, layer) =>
                new PastNodes($"{layer}", block.Self) { IsGiven = use != PastUse.None, GivenLength = length }),
        ];
        if (use == PastUse.Continued)
            Array.ForEach(past, tensors => tensors.Take(_graph, _layers.Type, PastLength));
        var sequence = Sequence(stack, inputIds, past);

        var hidden = Embed(stack, inputIds, positionIds, attentionMask, tokenTypeIds: null, sequence);
        hidden = AddBlocks(stack, _description.BlockPrefixes, hidden, positionIds, attentionMask, sequence, past, cross: null);
        AddLogits(stack, hidden);
        Array.ForEach(past, tensors => tensors.AddOutputs(_graph, _layers.Type));
    }

    /// <summary>
    /// A decoder that looks at what an encoder gave: <c>input_ids</c>, <c>encoder_attention_mask</c> and <c>encoder_hidden_states</c> or
    /// <c>past_key_values.N.decoder.key</c>, <c>.encoder.key</c> and so on to <c>logits</c> and <c>present.N.decoder.key</c> and so on.
    /// Nothing of what it reads is padded.
    /// </summary>
    /// <param name="use">
    /// Keys and values of the encoder's text are given by the graph that begins, and only taken by the one that continues.
    /// </param>
    /// <param name="form">Where inputs and outputs have another form; null for their own.</param>
    public void BuildCrossDecoder(PastUse use, CrossDecoderForm? form = null)
    {
        var stack = _description.Decoder!;
        var (continues, begins) = (use is PastUse.Continued or PastUse.Either, use is PastUse.Given or PastUse.Either);
        var length = continues ? $"{PastLength} + {Length}" : Length;
        var inputIds = form is { HasFlatStreams: true } ? _graph.Input("input_ids", DataType.Int64, "batch_size_x_streams", Length)
            : Ids(stack);
        var ids = form is { HasFlatStreams: true } ? Streams(inputIds, stack.Input.Tables.Length) : inputIds;
        var encoderMask = _graph.Input("encoder_attention_mask", DataType.Int64, "batch_size", EncoderLength);
        var encoderWidth = form?.EncoderWidth ?? (_description.Encoder ?? stack).Width;
        var encoded = begins ? _graph.Input("encoder_hidden_states", _layers.Type, "batch_size", EncoderLength, encoderWidth) : null;
        if (encoded is not null && form is not null)
            encoded = form.Encode(encoded, encoderMask);
        PastNodes[] past = [.. stack.Blocks.Select((block, layer) =>
            new PastNodes($"{layer}.decoder", block.Self) { IsGiven = use != PastUse.None, GivenLength = length })];
        PastNodes[] encoderPast = [.. stack.Blocks.Select((block, layer) =>
            new PastNodes($"{layer}.encoder", block.Cross!) { IsGiven = begins, GivenLength = EncoderLength })];
        if (continues)
        {
            // Before the first step there is nothing of any batch.
            foreach (var (own, other) in past.Zip(encoderPast))
            {
                own.Take(_graph, _layers.Type, PastLength, use == PastUse.Either ? "past_batch_size" : "batch_size");
                other.Take(_graph, _layers.Type, EncoderLength, use == PastUse.Either ? "past_batch_size" : "batch_size");
            }
        }

        if (use == PastUse.Either)
            Choose(stack, _graph.Input("use_cache_branch", DataType.Bool, 1), ids, encoded!, past, encoderPast);
        var sequence = Sequence(stack, ids, past);
        var hidden = Embed(stack, ids, positionIds: null, attentionMask: null, tokenTypeIds: null, sequence);
        var crossBiases = new Dictionary<DataType, Value>();
        foreach (var type in stack.Blocks.Select(block => AttentionNodes.ScoreType(_layers, block.Cross!)).Distinct())
            crossBiases.Add(type, ScoreBiasNodes.BothWays(_layers, encoderMask, type));
        var prefixes = _description.BlockPrefixes.Skip(_description.Encoder?.Blocks.Length ?? 0).ToList();
        hidden = AddBlocks(stack, prefixes, hidden, positions: null, attentionMask: null, sequence, past, (layer, x) =>
        {
            var attention = stack.Blocks[layer].Cross!;
            return new AttentionNodes(_layers, attention).AddCross(
                x, encoded, crossBiases[AttentionNodes.ScoreType(_layers, attention)], encoderPast[layer]);
        });
        AddLogits(stack, hidden, form is { HasFlatStreams: true } ? inputIds : null);
        foreach (var (own, other) in past.Zip(encoderPast))
        {
            own.AddOutputs(_graph, _layers.Type);
            other.AddOutputs(_graph, _layers.Type);
        }
    }

    /// <summary>Where nothing was read before, what is taken is nothing of the decoder's, and what is computed of the encoder's.</summary>
    private void Choose(Stack stack, Value continues, Value ids, Value encoded, PastNodes[] past, PastNodes[] encoderPast)
    {
        PastNodes[] all = [.. past, .. encoderPast];
        var chosen = _graph.If(
            continues, _layers.Type,
            () => [.. all.SelectMany(taken => (Value[])[Same(taken.Before!.Value.Key), Same(taken.Before!.Value.Value)])],
            () =>
            [
                .. stack.Blocks.SelectMany(block => (Value[])[Nothing(block.Self), Nothing(block.Self)]),
                .. stack.Blocks.SelectMany(block =>
                {
                    var (key, value) = new AttentionNodes(_layers, block.Cross!).KeysAndValues(encoded);
                    return (Value[])[key, value];
                }),
            ]);
        foreach (var (index, taken) in all.Index())
        {
            taken.Replace(chosen[2 * index], chosen[2 * index + 1]);
            taken.Give(chosen[2 * index], chosen[2 * index + 1]); // the decoder's give more
        }

        Value Same(Value value) => _graph.Node("Identity", [value]);

        Value Nothing(Attention attention)
        {
            var batch = _graph.Node("Unsqueeze", [_graph.Size(ids, 0), _graph.Constant([0])]);
            var shape = _graph.Concatenate(0, batch, _graph.Constant([attention.KeyValueHeads, 0, attention.HeadWidth]));
            return _layers.Cast(_graph.Node("ConstantOfShape", [shape]), DataType.Float, _layers.Type);
        }
    }

    /// <summary>[B streams, T] to [B, streams, T].</summary>
    private Value Streams(Value ids, int streams) =>
        _graph.Reshape(_graph.Node("Unsqueeze", [ids, _graph.Constant([0])]), -1, streams, 0);

    private SequenceNodes Sequence(Stack stack, Value ids, PastNodes[] past) =>
        new(_graph, ids, stack.Input.Tables.Length == 1 ? 1 : 2, past[0].Before?.Key);

    /// <summary>[B, T], or [B, streams, T] of several streams.</summary>
    private Value Ids(Stack stack) => stack.Input.Tables.Length == 1
        ? _graph.Input("input_ids", DataType.Int64, "batch_size", Length)
        : _graph.Input("input_ids", DataType.Int64, "batch_size", stack.Input.Tables.Length, Length);

    private Value Embed(Stack stack, Value ids, Value? positionIds, Value? attentionMask, Value? tokenTypeIds, SequenceNodes sequence)
    {
        _graph.EnterScope(StackNodes.ScopeOf(stack.Input.Tables[0][..^".weight".Length]));
        return new InputNodes(_layers, stack.Input, stack.Width).Create(ids, positionIds, attentionMask, tokenTypeIds, sequence);
    }

    private Value AddBlocks(
        Stack stack, IReadOnlyList<string> prefixes, Value hidden, Value? positions, Value? attentionMask, SequenceNodes sequence,
        PastNodes[]? past, Func<int, Value, Value>? cross)
    {
        var biases = new ScoreBiasNodes(_layers, sequence, stack.Causal, attentionMask);
        var rotation = new RotaryNodes(_layers, positions, sequence, stack.Context, keepsKeys: past?.Any(own => own.IsGiven) == true);
        foreach (var attention in stack.Blocks.Select(block => block.Self))
        {
            biases.Of(attention, AttentionNodes.ScoreType(_layers, attention)); // what layers share comes before the first of them
            if (attention.Rotary is { } rotary)
                rotation.Turns(rotary);
        }

        return new StackNodes(_layers, stack).Add(hidden, prefixes, (layer, x) =>
        {
            var attention = stack.Blocks[layer].Self;
            return new AttentionNodes(_layers, attention).AddSelf(
                x, biases.Of(attention, AttentionNodes.ScoreType(_layers, attention)), rotation, past?[layer]);
        }, cross ?? ((_, _) => throw new NotSupportedException("Cross-attention without an encoder cannot be exported to ONNX.")));
    }

    /// <summary>[B, T, rows], or [B, streams, T, rows] of several streams.</summary>
    /// <param name="stack">Has the heads.</param>
    /// <param name="hidden">[B, T, C].</param>
    /// <param name="flatIds">[B streams, T] where streams are rows of the batch, and logits [B streams, T, rows]; null otherwise.</param>
    private void AddLogits(Stack stack, Value hidden, Value? flatIds = null)
    {
        _graph.EnterScope("/lm_head");
        Value[] logits = [.. stack.Heads.Select(head => HeadNodes.Add(_layers, head, hidden, stack.Width))];
        long rows = stack.Heads[0].Rows;
        if (logits is [var only])
        {
            _graph.Output("logits", only, _layers.Type, "batch_size", Length, rows);
            return;
        }

        var stacked = _graph.Concatenate(1, [.. logits.Select(each => _graph.Node("Unsqueeze", [each, _graph.Constant([1])]))]);
        if (flatIds is null)
        {
            _graph.Output("logits", stacked, _layers.Type, "batch_size", logits.Length, Length, rows);
            return;
        }

        var shape = _graph.Concatenate(0, _graph.Node("Shape", [flatIds]), _graph.Constant([rows]));
        _graph.Output("logits", _graph.Node("Reshape", [stacked, shape]), _layers.Type, "batch_size_x_streams", Length, rows);
    }
}
