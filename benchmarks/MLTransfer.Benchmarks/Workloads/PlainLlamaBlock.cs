using System.Text.Json.Nodes;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>A block of <see cref="PlainLlama"/>.</summary>
internal sealed class PlainLlamaBlock : nn.Module<Tensor, Tensor>
{
    private readonly long _heads;
    private readonly long _keyValueHeads;
    private readonly PlainRootMeanSquareNorm _attentionNorm;
    private readonly PlainRootMeanSquareNorm _feedForwardNorm;
    private readonly PlainRootMeanSquareNorm? _queryNorm;
    private readonly PlainRootMeanSquareNorm? _keyNorm;
    private readonly PlainLinear _key;
    private readonly PlainLinear _output;
    private readonly PlainLinear _gate;
    private readonly PlainLinear _up;
    private readonly PlainLinear _down;

    public PlainLlamaBlock(JsonObject configuration)
        : base(nameof(PlainLlamaBlock))
    {
        var (width, inner) = (Number("hidden_size"), Number("intermediate_size"));
        var epsilon = configuration["rms_norm_eps"]!.GetValue<double>();
        (_heads, _keyValueHeads) = (Number("num_attention_heads"), Number("num_key_value_heads"));
        HeadWidth = configuration.ContainsKey("head_dim") ? Number("head_dim") : width / _heads;
        _attentionNorm = new PlainRootMeanSquareNorm(width, epsilon);
        Query = new PlainLinear(width, _heads * HeadWidth, hasBias: false);
        _key = new PlainLinear(width, _keyValueHeads * HeadWidth, hasBias: false);
        Value = new PlainLinear(width, _keyValueHeads * HeadWidth, hasBias: false);
        _output = new PlainLinear(_heads * HeadWidth, width, hasBias: false);
        if ($"{configuration["model_type"]}" == "qwen3")
            (_queryNorm, _keyNorm) = (new PlainRootMeanSquareNorm(HeadWidth, epsilon), new PlainRootMeanSquareNorm(HeadWidth, epsilon));
        _feedForwardNorm = new PlainRootMeanSquareNorm(width, epsilon);
        _gate = new PlainLinear(width, inner, hasBias: false);
        _up = new PlainLinear(width, inner, hasBias: false);
        _down = new PlainLinear(inner, width, hasBias: false);
        RegisterComponents();

        long Number(string name) => configuration[name]!.GetValue<int>();
    }

    public long HeadWidth { get; }

    public PlainLinear Query { get; }

    public PlainLinear Value { get; }

    /// <summary>Parameters by the names that a checkpoint has for their layers.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> Named()
    {
        yield return ("input_layernorm", _attentionNorm.Weight);
        yield return ("self_attn.q_proj", Query.Weight);
        yield return ("self_attn.k_proj", _key.Weight);
        yield return ("self_attn.v_proj", Value.Weight);
        yield return ("self_attn.o_proj", _output.Weight);
        if (_queryNorm is not null)
        {
            yield return ("self_attn.q_norm", _queryNorm.Weight);
            yield return ("self_attn.k_norm", _keyNorm!.Weight);
        }

        yield return ("post_attention_layernorm", _feedForwardNorm.Weight);
        yield return ("mlp.gate_proj", _gate.Weight);
        yield return ("mlp.up_proj", _up.Weight);
        yield return ("mlp.down_proj", _down.Weight);
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException($"Call {nameof(Forward)}, with rotations.");

    /// <summary>[batch, length, width] to the same.</summary>
    public Tensor Forward(Tensor x, Tensor cosines, Tensor sines, PlainKeyValueCache? cache, long past)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (x.shape[0], x.shape[1]);
        var normalized = _attentionNorm.call(x);
        var query = Rotate(Heads(Query.call(normalized), _heads, _queryNorm), cosines, sines);  // [batch, heads, length, head width]
        var key = Rotate(Heads(_key.call(normalized), _keyValueHeads, _keyNorm), cosines, sines);
        var value = Heads(Value.call(normalized), _keyValueHeads, null);
        if (cache is not null)
            (key, value) = cache.Append(key, value, past);
        if (_heads != _keyValueHeads)
            (key, value) = (key.repeat_interleave(_heads / _keyValueHeads, 1), value.repeat_interleave(_heads / _keyValueHeads, 1));
        var attended = F.scaled_dot_product_attention(query, key, value, is_casual: length > 1)
            .transpose(1, 2).reshape(batch, length, _heads * HeadWidth);
        x = x + _output.call(attended);
        normalized = _feedForwardNorm.call(x);
        x = x + _down.call(F.silu(_gate.call(normalized)) * _up.call(normalized));
        return x.MoveToOuterDisposeScope();

        Tensor Heads(Tensor projected, long heads, PlainRootMeanSquareNorm? norm)
        {
            var split = projected.view(batch, length, heads, HeadWidth);
            return (norm?.call(split) ?? split).transpose(1, 2);
        }
    }

    public PlainKeyValueCache CreateCache(long batch, long capacity, ScalarType dataType) =>
        new([batch, _keyValueHeads, capacity, HeadWidth], dataType);

    private static Tensor Rotate(Tensor heads, Tensor cosines, Tensor sines)
    {
        var half = heads.shape[3] / 2;
        var turned = cat([-heads.narrow(3, half, half), heads.narrow(3, 0, half)], 3);
        return heads * cosines + turned * sines;
    }
}
