using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>A block of <see cref="PlainGpt2"/>.</summary>
internal sealed class PlainBlock : nn.Module<Tensor, Tensor>
{
    private readonly long _heads;

    public PlainBlock(long width, long heads)
        : base(nameof(PlainBlock))
    {
        _heads = heads;
        AttentionNorm = nn.LayerNorm(width);
        QueryKeyValue = new PlainLinear(width, 3 * width);
        AttentionProjection = new PlainLinear(width, width);
        FeedForwardNorm = nn.LayerNorm(width);
        Expansion = new PlainLinear(width, 4 * width);
        FeedForwardProjection = new PlainLinear(4 * width, width);
        RegisterComponents();
    }

    public LayerNorm AttentionNorm { get; }

    public PlainLinear QueryKeyValue { get; }

    public PlainLinear AttentionProjection { get; }

    public LayerNorm FeedForwardNorm { get; }

    public PlainLinear Expansion { get; }

    public PlainLinear FeedForwardProjection { get; }

    public override Tensor forward(Tensor input) => Forward(input, cache: null, past: 0);

    /// <summary>[batch, length, width] to the same.</summary>
    public Tensor Forward(Tensor x, PlainKeyValueCache? cache, long past)
    {
        using var scope = NewDisposeScope();
        var (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2]);
        var parts = QueryKeyValue.call(AttentionNorm.call(x)).view(batch, length, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4);
        // each [batch, heads, length, head width]
        var (query, key, value) = (parts[0], parts[1], parts[2]);
        if (cache is not null)
            (key, value) = cache.Append(key, value, past);
        var attended = F.scaled_dot_product_attention(query, key, value, is_casual: length > 1)
            .transpose(1, 2).reshape(batch, length, width);
        x = x + AttentionProjection.call(attended);
        x = x + FeedForwardProjection.call(F.gelu(Expansion.call(FeedForwardNorm.call(x)), GELU.Approximate.tanh));
        return x.MoveToOuterDisposeScope();
    }

    public PlainKeyValueCache CreateCache(long batch, long capacity, ScalarType dataType) =>
        new([batch, _heads, capacity, QueryKeyValue.Weight.shape[1] / _heads], dataType);
}
