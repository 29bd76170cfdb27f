using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>A layer of <see cref="PlainDalle"/>.</summary>
internal sealed class PlainDalleBlock : nn.Module<Tensor, Tensor>
{
    private readonly long _heads;
    private readonly LayerNorm _attentionNorm;
    private readonly LayerNorm _feedForwardNorm;
    private readonly PlainLinear _queryKeyValue;
    private readonly PlainLinear _projection;
    private readonly PlainLinear _expansion;
    private readonly PlainLinear _contraction;
    private readonly Parameter _attentionScale;
    private readonly Parameter _feedForwardScale;

    public PlainDalleBlock(long width, long heads)
        : base(nameof(PlainDalleBlock))
    {
        _heads = heads;
        (_attentionNorm, _feedForwardNorm) = (nn.LayerNorm(width), nn.LayerNorm(width));
        _queryKeyValue = new PlainLinear(width, 3 * width, hasBias: false);
        _projection = new PlainLinear(width, width);
        _expansion = new PlainLinear(width, 8 * width);
        _contraction = new PlainLinear(4 * width, width);
        (_attentionScale, _feedForwardScale) = (new Parameter(full(width, 0.1)), new Parameter(full(width, 0.1)));
        RegisterComponents();
    }

    public IEnumerable<PlainLinear> Layers => [_queryKeyValue, _projection, _expansion, _contraction];

    public override Tensor forward(Tensor input) => Forward(input, cache: null, past: 0);

    /// <summary>[batch, length, width] to the same.</summary>
    public Tensor Forward(Tensor x, PlainKeyValueCache? cache, long past)
    {
        using var scope = NewDisposeScope();
        var (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2]);
        var parts = _queryKeyValue.call(_attentionNorm.call(x)).view(batch, length, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4);
        // each [batch, heads, length, head width]
        var (query, key, value) = (parts[0], parts[1], parts[2]);
        if (cache is not null)
            (key, value) = cache.Append(key, value, past);
        var attended = F.scaled_dot_product_attention(query, key, value, is_casual: length > 1)
            .transpose(1, 2).reshape(batch, length, width);
        x = x + _projection.call(attended) * _attentionScale;
        var both = _expansion.call(_feedForwardNorm.call(x)).chunk(2, -1);
        x = x + _contraction.call(both[0] * F.gelu(both[1])) * _feedForwardScale;
        return x.MoveToOuterDisposeScope();
    }

    public PlainKeyValueCache CreateCache(long batch, long capacity) =>
        new([batch, _heads, capacity, _projection.Weight.shape[1] / _heads], ScalarType.Float32);
}
