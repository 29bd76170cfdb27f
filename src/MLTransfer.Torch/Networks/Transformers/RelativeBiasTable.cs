using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Bias by distance, in buckets that grow with it (arXiv 1910.10683).</summary>
internal sealed class RelativeBiasTable(RelativeBias bias, Embedding table)
{
    /// <summary>[1, heads, queries, keys].</summary>
    /// <param name="past">Keys before the first query.</param>
    /// <param name="queries">The number of queries, which are the last keys.</param>
    public Tensor Between(long past, long queries)
    {
        using var scope = NewDisposeScope();
        var keys = past + queries;
        var buckets = new long[queries * keys];
        for (var query = 0; query < queries; query++)
        {
            for (var key = 0; key < keys; key++)
                buckets[query * keys + key] = Bucket((int)(key - past - query));
        }

        var indices = tensor(buckets, [queries, keys], device: table.Device);
        return table.call(indices).permute(2, 0, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>The bias of keys 0 to <paramref name="query"/> for the last of them as query: [heads, query + 1].</summary>
    public void At(int query, Span<float> target, int heads)
    {
        using var values = new Memory.RowBuffer(heads);
        for (var key = 0; key <= query; key++)
        {
            table.Read(Bucket(key - query), values.Span);
            for (var head = 0; head < heads; head++)
                target[head * (query + 1) + key] = values.Span[head];
        }
    }

    /// <summary>The bucket of a key so many positions to the right of its query.</summary>
    internal int Bucket(int offset)
    {
        var buckets = bias.BothWays ? bias.Buckets / 2 : bias.Buckets;
        var first = bias.BothWays && offset > 0 ? buckets : 0;
        var distance = bias.BothWays ? Math.Abs(offset) : Math.Max(0, -offset);
        var exact = buckets / 2;
        if (distance < exact)
            return first + distance;

        // In float32, as the reference does: a distance at a border of two buckets would fall on the other side.
        var share = MathF.Log((float)distance / exact) / (float)Math.Log((double)bias.MaximumDistance / exact) * (buckets - exact);
        return first + Math.Min(buckets - 1, exact + (int)share);
    }
}
