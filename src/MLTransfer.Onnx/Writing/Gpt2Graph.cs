using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing;

/// <summary>GPT-2 with its language-model head (Radford et al. 2019), with the inputs and outputs that Hugging Face Optimum gives it.</summary>
/// <remarks>B: batch, T: new positions, P: past, S: past + new, C: width, H: heads, D: width of a head, V: vocabulary.</remarks>
internal sealed class Gpt2Graph
{
    private readonly Gpt2Configuration _configuration;
    private readonly GraphBuilder _graph;
    private readonly WeightFormat _format;
    private readonly ModelParameters _parameters;
    private readonly bool _fused;
    private readonly bool _hasPast;
    private readonly DataType _type;
    private readonly DataType _scoreType;
    private readonly List<(string Name, Value Value)> _presents = [];

    public Gpt2Graph(CausalLanguageModel model, GraphOptions options)
    {
        _configuration = Gpt2Configuration.Parse(model.Configuration);
        (_graph, _format, _parameters, _fused, _hasPast) = options;
        _type = _format.ComputeType;
        _scoreType = _configuration.ReorderAndUpcastAttention ? DataType.Float : _type;
    }

    public void Build()
    {
        var inputIds = _graph.Input("input_ids", DataType.Int64, "batch_size", "sequence_length");
        var attentionMask = _graph.Input("attention_mask", DataType.Int64, "batch_size", _hasPast ? "past_sequence_length + sequence_length" : "sequence_length");
        var positionIds = _graph.Input("position_ids", DataType.Int64, "batch_size", "sequence_length");
        (Value Key, Value Value)?[] past = [.. Enumerable.Range(0, _configuration.Layers).Select(PastInput)];

        _graph.EnterScope("/transformer");
        var tokens = _format.ReadRows(inputIds, Table("transformer.wte.weight"));                    // [B, T, C]
        var positions = _graph.Node("Gather", [Unquantized("transformer.wpe.weight"), positionIds], ("axis", 0L));
        var hidden = _graph.Sum(tokens, positions);                                                  // [B, T, C]
        var bias = AttentionBias(inputIds, attentionMask, past[0]?.Key);

        // What attention and feed-forward give is added where the next normalization reads it: one operator where operators are fused.
        Value? added = null;
        Value normalized;
        for (var layer = 0; layer < _configuration.Layers; layer++)
        {
            var prefix = $"transformer.h.{layer}";
            _graph.EnterScope("/" + prefix.Replace('.', '/'));
            (normalized, hidden) = AddAndNormalize(hidden, added, prefix + ".ln_1");
            added = Attention(normalized, bias, past[layer], layer, prefix + ".attn");
            (normalized, hidden) = AddAndNormalize(hidden, added, prefix + ".ln_2");
            added = FeedForward(normalized, prefix + ".mlp");
        }

        _graph.EnterScope("/transformer");
        (normalized, _) = AddAndNormalize(hidden, added, "transformer.ln_f");
        _graph.EnterScope("/lm_head");
        var head = Table(_parameters.Has("lm_head.weight") ? "lm_head.weight" : "transformer.wte.weight");
        _graph.Output("logits", _format.Multiply(normalized, head), _type, "batch_size", "sequence_length", _configuration.VocabularySize);
        foreach (var (name, present) in _presents)
            _graph.Output(name, present, _type, "batch_size", _configuration.Heads, "past_sequence_length + sequence_length", _configuration.HeadWidth);
    }

    private (Value Key, Value Value)? PastInput(int layer)
    {
        if (!_hasPast)
            return null;
        return (Add("key"), Add("value"));

        Value Add(string kind) => _graph.Input(
            $"past_key_values.{layer}.{kind}", _type, "batch_size", _configuration.Heads, "past_sequence_length", _configuration.HeadWidth); // [B, H, P, D]
    }

    /// <summary>0 where a query may attend to a key, else the lowest number: [B, 1, T, S].</summary>
    private Value AttentionBias(Value inputIds, Value attentionMask, Value? pastKey)
    {
        var zero = _graph.Constant([0], isScalar: true);
        var one = _graph.Constant([1], isScalar: true);
        var queries = _graph.Size(inputIds, 1);                                                      // T
        var past = pastKey is null ? zero : _graph.Size(pastKey, 2);                                 // P
        var keys = _graph.Sum(past, queries);                                                        // S
        var keyPositions = _graph.Node("Range", [zero, keys, one]);                                  // [S]
        var queryPositions = _graph.Node("Unsqueeze", [_graph.Node("Range", [past, keys, one]), _graph.Constant([1])]); // [T, 1]
        var causal = _graph.Node("LessOrEqual", [keyPositions, queryPositions]);                     // [T, S]
        var real = _graph.Node("Unsqueeze", [_graph.Cast(attentionMask, DataType.Bool), _graph.Constant([1, 2])]); // [B, 1, 1, S]

        // A padded query would have no key at all: it sees itself, and nobody reads it.
        var itself = _graph.Node("Equal", [keyPositions, queryPositions]);                           // [T, S]
        var allowed = _graph.Node("Or", [_graph.Node("And", [causal, real]), itself]);               // [B, 1, T, S]
        var lowest = _scoreType == DataType.Float16 ? (double)Half.MinValue : float.MinValue;
        return _graph.Node("Where", [allowed, _graph.Constant(0.0, _scoreType), _graph.Constant(lowest, _scoreType)]);
    }

    /// <summary>The layer normalization of x + added, and x + added itself: each [B, T, C].</summary>
    private (Value Normalized, Value Sum) AddAndNormalize(Value x, Value? added, string name)
    {
        var (weight, bias) = (Unquantized(name + ".weight"), Unquantized(name + ".bias"));
        var epsilon = ("epsilon", (object)(float)_configuration.LayerNormEpsilon);
        if (_fused && added is not null)
        {
            var outputs = _graph.RuntimeNode("SkipLayerNormalization", 4, [x, added, weight, bias], epsilon); // the second and third stay unused
            return (outputs[0], outputs[3]);
        }

        var sum = added is null ? x : _graph.Sum(x, added);
        return (_graph.Node("LayerNormalization", [sum, weight, bias], ("axis", -1L), epsilon), sum);
    }

    private Value Attention(Value x, Value bias, (Value Key, Value Value)? past, int layer, string name)
    {
        var (heads, width, headWidth) = (_configuration.Heads, _configuration.Width, _configuration.HeadWidth);
        var scale = (_configuration.ScaleAttentionWeights ? 1 / Math.Sqrt(headWidth) : 1) / (_configuration.ScaleAttentionByInverseLayerIndex ? layer + 1 : 1);
        var parts = _graph.Nodes("Split", 3, [Linear(x, name + ".c_attn"), _graph.Constant([width, width, width])], attributes: ("axis", 2L)); // each [B, T, C]
        var attended = _fused && _scoreType == _type ? Fused() : Plain();                            // [B, T, C]
        return Linear(attended, name + ".c_proj");

        Value Fused()
        {
            var outputs = _graph.RuntimeNode("MultiHeadAttention", _hasPast ? 3 : 1,
                [parts[0], parts[1], parts[2], Value.None, Value.None, bias, .. past is { } before ? [before.Key, before.Value] : (Value[])[]],
                ("num_heads", (long)heads), ("scale", (float)scale));
            if (_hasPast)
                AddPresent(outputs[1], outputs[2]);
            return outputs[0];
        }

        Value Plain()
        {
            var (query, key, value) = (SplitHeads(parts[0]), SplitHeads(parts[1]), SplitHeads(parts[2])); // each [B, H, T, D]
            if (past is { } before)
            {
                (key, value) = (_graph.Concatenate(2, before.Key, key), _graph.Concatenate(2, before.Value, value)); // [B, H, S, D]
                AddPresent(key, value);
            }

            if (_scoreType != _type)
                (query, key, value) = (_graph.Cast(query, _scoreType), _graph.Cast(key, _scoreType), _graph.Cast(value, _scoreType));
            var scores = _graph.MatrixProduct(query, _graph.Transpose(key, 0, 1, 3, 2));             // [B, H, T, S]
            scores = _graph.Sum(_graph.Product(scores, _graph.Constant(scale, _scoreType)), bias);
            var mixed = _graph.MatrixProduct(_graph.Node("Softmax", [scores], ("axis", -1L)), value); // [B, H, T, D]
            if (_scoreType != _type)
                mixed = _graph.Cast(mixed, _type);
            return _graph.Reshape(_graph.Transpose(mixed, 0, 2, 1, 3), 0, 0, width);
        }

        Value SplitHeads(Value part) => _graph.Transpose(_graph.Reshape(part, 0, 0, heads, headWidth), 0, 2, 1, 3);

        void AddPresent(Value key, Value value)
        {
            _presents.Add(($"present.{layer}.key", key));
            _presents.Add(($"present.{layer}.value", value));
        }
    }

    private Value FeedForward(Value x, string name)
    {
        var activation = ActivationNames.Parse(_configuration.ActivationFunction);
        if (_fused && activation == Activation.GeluTanh)
        {
            var product = Product(x, name + ".c_fc");
            return Linear(_graph.RuntimeNode("FastGelu", 1, [product, Unquantized(name + ".c_fc.bias")])[0], name + ".c_proj");
        }

        var inner = ActivationNodes.Apply(_graph, activation, Linear(x, name + ".c_fc"), _type);         // [B, T, inner]
        return Linear(inner, name + ".c_proj");                                                      // [B, T, C]
    }

    private Value Linear(Value x, string name) => _graph.Sum(Product(x, name), Unquantized(name + ".bias"));

    /// <summary>x W, with the adapter's update where there is one apart.</summary>
    private Value Product(Value x, string name)
    {
        var weight = name + ".weight";
        var product = _format.Multiply(x, _parameters.Matrix(weight, WeightLayout.InputByOutput));
        return _parameters.AdapterUpdate(_graph, x, weight, _type) is { } update ? _graph.Sum(product, update) : product;
    }

    private Value Unquantized(string name) => _parameters.Unquantized(_graph, name, _type);

    private WeightMatrix Table(string name) => _parameters.Matrix(name, WeightLayout.OutputByInput);
}
