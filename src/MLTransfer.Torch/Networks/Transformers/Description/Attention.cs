using System.Collections.Immutable;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>Attention of several heads (arXiv 1706.03762), grouped where there are fewer heads of keys and values than of queries (arXiv
/// 2305.13245).</summary>
/// <param name="Heads">Heads of queries.</param>
/// <param name="KeyValueHeads">Heads of keys and values; query head h reads number h / (heads / key-value heads).</param>
/// <param name="HeadWidth">The width of a head; heads times it need not be the stack's width.</param>
/// <param name="Scale">What query times key is multiplied with.</param>
/// <param name="Packing">How queries, keys and values lie in <paramref name="Inputs"/>.</param>
/// <param name="Inputs">Projections to queries, keys and values: three, or one.</param>
/// <param name="Output">From all heads to the stack's width.</param>
internal sealed record Attention(
    int Heads, int KeyValueHeads, int HeadWidth, double Scale, Packing Packing, ImmutableArray<Projection> Inputs, Projection Output)
        : Sublayer
{
    /// <summary>Turns queries and keys by their positions; null for nothing.</summary>
    public Rotary? Rotary { get; init; }

    /// <summary>Added to scores by distance; null for nothing.</summary>
    public RelativeBias? Bias { get; init; }

    /// <summary>A query sees key j where 0 &lt;= i - j &lt; window; null for all.</summary>
    public int? Window { get; init; }

    /// <summary>Scores become cap tanh(score / cap); null for no cap.</summary>
    public double? SoftCap { get; init; }

    /// <summary>Of each head's query, before it is turned.</summary>
    public Norm? QueryNorm { get; init; }

    /// <summary>Of each head's key, before it is turned.</summary>
    public Norm? KeyNorm { get; init; }

    /// <summary>Whether scores are computed in float32, whatever type the rest has.</summary>
    public bool Float32Scores { get; init; }
}

/// <summary>How queries, keys and values lie in projections.</summary>
internal enum Packing
{
    /// <summary>A projection each.</summary>
    Apart,

    /// <summary>One projection: all queries, then all keys, then all values.</summary>
    Rows,

    /// <summary>One projection: query, key and value of the first head, then those of the next (GPT-NeoX).</summary>
    PerHead,
}

/// <summary>Bias by distance in buckets that grow with it (T5, arXiv 1910.10683).</summary>
/// <param name="Table">[buckets, heads].</param>
/// <param name="Buckets">The number of buckets.</param>
/// <param name="MaximumDistance">From where on all distances are of the last bucket.</param>
/// <param name="BothWays">Whether keys to the right have buckets of their own; they have none otherwise.</param>
/// <param name="Deviation">The standard deviation of a new table.</param>
internal sealed record RelativeBias(string Table, int Buckets, int MaximumDistance, bool BothWays, double Deviation)
{
    /// <summary>The bucket of a key so many positions to the right of its query.</summary>
    public int Bucket(int offset)
    {
        var buckets = BothWays ? Buckets / 2 : Buckets;
        var first = BothWays && offset > 0 ? buckets : 0;
        var distance = BothWays ? Math.Abs(offset) : Math.Max(0, -offset);
        var exact = buckets / 2;
        if (distance < exact)
            return first + distance;

        // In float32, as the reference does: a distance at a border of two buckets would fall on the other side.
        var share = MathF.Log((float)distance / exact) / (float)Math.Log((double)MaximumDistance / exact) * (buckets - exact);
        return first + Math.Min(buckets - 1, exact + (int)share);
    }
}
