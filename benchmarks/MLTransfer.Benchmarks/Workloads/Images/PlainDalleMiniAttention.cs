using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>Attention with norms before and after.</summary>
internal sealed class PlainDalleMiniAttention : nn.Module
{
    private readonly TextToImageShape _shape;
    private readonly bool _isCausal;
    private readonly LayerNorm _before;
    private readonly LayerNorm _after;
    private readonly PlainLinear _query;
    private readonly PlainLinear _key;
    private readonly PlainLinear _value;
    private readonly PlainLinear _output;

    public PlainDalleMiniAttention(TextToImageShape shape, bool isCausal)
        : base(nameof(PlainDalleMiniAttention))
    {
        (_shape, _isCausal) = (shape, isCausal);
        (_before, _after) = (nn.LayerNorm(shape.Width), nn.LayerNorm(shape.Width));
        (_query, _key, _value, _output) = (Layer(), Layer(), Layer(), Layer());
        RegisterComponents();

        PlainLinear Layer() => new(shape.Width, shape.Width, hasBias: false);
    }

    public IEnumerable<PlainLinear> AdaptedLayers => [_query, _value];

    /// <summary>What is added: [batch, length, width] to the same.</summary>
    /// <param name="x">The stream.</param>
    /// <param name="keysAndValues">Gives them for the normalized stream.</param>
    /// <param name="mask">Broadcast to [batch, heads, length, keys]; null for none.</param>
    public Tensor Forward(Tensor x, Func<Tensor, (Tensor Keys, Tensor Values)> keysAndValues, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var states = _before.call(x);
        var (keys, values) = keysAndValues(states);
        var length = x.shape[1];
        var attended = F.scaled_dot_product_attention(Heads(_query.call(states)), keys, values, mask, is_casual: _isCausal && length > 1);
        return _after.call(_output.call(attended.transpose(1, 2).reshape(x.shape))).MoveToOuterDisposeScope();
    }

    /// <summary>[batch, heads, length, head width] each, with those in a cache before them.</summary>
    public (Tensor Keys, Tensor Values) KeysAndValues(Tensor states, PlainKeyValueCache? cache, long past)
    {
        var (keys, values) = (Heads(_key.call(states)), Heads(_value.call(states)));
        return cache?.Append(keys, values, past) ?? (keys, values);
    }

    private Tensor Heads(Tensor x) => x.view(x.shape[0], x.shape[1], _shape.Heads, _shape.Width / _shape.Heads).transpose(1, 2);
}
