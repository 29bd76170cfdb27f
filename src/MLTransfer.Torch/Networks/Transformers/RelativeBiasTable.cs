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
                buckets[query * keys + key] = bias.Bucket((int)(key - past - query));
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
            table.Read(bias.Bucket(key - query), values.Span);
            for (var head = 0; head < heads; head++)
                target[head * (query + 1) + key] = values.Span[head];
        }
    }
}
