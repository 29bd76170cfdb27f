using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Codewords that vectors are replaced by. K: codewords, D: width, N: vectors.</summary>
internal sealed class Codebook : NamedModule
{
    /// <param name="weights">Has <c>embed</c>, and what training keeps: <c>embed_avg</c>, <c>cluster_size</c>, <c>inited</c>; a checkpoint
    /// for inference may lack the latter three.</param>
    /// <param name="size">K.</param>
    /// <param name="width">D.</param>
    public Codebook(WeightScope weights, int size, int width)
        : base(nameof(Codebook))
    {
        Words = this.TakeBuffer(weights, "embed", Initialization.Normal(1), size, width);
        IsStarted = Take("inited", weights.IsNew ? 0 : 1, 1);
        Uses = Take("cluster_size", 1, size);
        var hasSums = !weights.IsNew && weights.Contains("embed_avg");
        Sums = Take("embed_avg", 0, size, width);
        if (!hasSums)
        {
            using var scope = NewDisposeScope();
            Sums.copy_(Words * Uses.unsqueeze(1));
        }

        Tensor Take(string name, double otherwise, params ReadOnlySpan<long> shape)
        {
            if (weights.Contains(name))
                return this.TakeBuffer(weights, name, Initialization.Of(otherwise), shape);
            var buffer = full(shape.ToArray(), otherwise, Words.dtype, Words.device).DetachFromDisposeScope();
            register_buffer(name, buffer);
            return buffer;
        }
    }

    /// <summary>1 where the codewords were learned, 0 where training is to find where they start: [1].</summary>
    public Tensor IsStarted { get; }

    /// <summary>A running mean of how many vectors of a batch each codeword replaces: [K].</summary>
    public Tensor Uses { get; }

    /// <summary>The codewords: [K, D].</summary>
    public Tensor Words { get; }

    /// <summary>A running mean of the sums of those vectors: [K, D].</summary>
    public Tensor Sums { get; }

    /// <summary>The number of the nearest codeword, [N], of each vector [N, D].</summary>
    public Tensor Nearest(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        // |x - w|^2 less |x|^2, which is the same for all codewords.
        return (Words.square().sum(1) - 2 * vectors.matmul(Words.t())).argmin(1).MoveToOuterDisposeScope();
    }

    /// <summary>Codewords [..., D] by their numbers [...].</summary>
    public Tensor Look(Tensor codes) => Words[codes];
}
