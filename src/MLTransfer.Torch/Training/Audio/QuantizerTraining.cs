using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// How codebooks learn (arXiv 2210.13438, section 3.2): they start at the means that k-means finds, follow running means of the vectors
/// that
/// they replace (arXiv 1711.00937, appendix A.1), and give up codewords that nobody uses.
/// </summary>
/// <remarks>N: vectors, D: width, K: codewords.</remarks>
/// <param name="quantizer">Its codebooks are changed.</param>
/// <param name="options">How.</param>
internal sealed class QuantizerTraining(ResidualVectorQuantizer quantizer, EnCodecTrainingOptions options)
{
    /// <summary>Uses that are added to each codeword's before sums are divided by them, so that none is divided by 0.</summary>
    private const double Smoothing = 1e-5;

    /// <summary>Quantizes vectors, and moves codewords towards them.</summary>
    /// <param name="embeddings">[B, D, T]; gradients go through to them as if nothing were quantized.</param>
    /// <param name="count">Codebooks to use.</param>
    /// <param name="seedOf">A seed for each codebook.</param>
    public Result Quantize(Tensor embeddings, int count, Func<int, ulong> seedOf)
    {
        using var scope = NewDisposeScope();
        var residual = embeddings.transpose(1, 2).flatten(0, 1); // [N, D]
        var sum = zeros_like(residual);
        var commitment = zeros(1, device: embeddings.device);
        var (perplexity, usedShare) = (0.0, 0.0);
        for (var layer = 0; layer < count; layer++)
        {
            var codebook = quantizer.Codebooks[layer];
            var vectors = residual.detach();
            var random = new SplitMix64(seedOf(layer));
            Tensor codes, words;
            using (no_grad())
            {
                if (codebook.IsStarted.item<float>() == 0)
                    Start(codebook, vectors, ref random);
                codes = codebook.Nearest(vectors);
                words = codebook.Look(codes).clone();
                var uses = Follow(codebook, vectors, codes, ref random);
                perplexity += CodebookUse.Perplexity(uses) / count;
                usedShare += CodebookUse.Share(uses) / count;
            }

            commitment = commitment + (residual - words).square().mean() / count;
            residual = residual - words;
            sum = sum + words;
        }

        var quantized = sum.view(embeddings.shape[0], embeddings.shape[2], embeddings.shape[1]).transpose(1, 2);
        var through = embeddings + (quantized - embeddings).detach();
        return new(through.MoveToOuterDisposeScope(), commitment.squeeze(0).MoveToOuterDisposeScope(), perplexity, usedShare);
    }

    /// <summary>How many running uses a codeword must have: a share of even use.</summary>
    private Tensor LeastUses(Codebook codebook) => codebook.Uses.mean() * options.DeadCodeShare;

    /// <summary>Moves running means and codewords, then replaces those that are dead.</summary>
    /// <returns>How often each codeword was used now: [K].</returns>
    private Tensor Follow(Codebook codebook, Tensor vectors, Tensor codes, ref SplitMix64 random)
    {
        using var scope = NewDisposeScope();
        var size = codebook.Words.shape[0];
        var assigned = F.one_hot(codes, size).to(vectors.dtype); // [N, K]
        var uses = assigned.sum(dim: 0);
        codebook.Uses.mul_(options.CodebookDecay).add_(uses, alpha: 1 - options.CodebookDecay);
        codebook.Sums.mul_(options.CodebookDecay).add_(assigned.t().matmul(vectors), alpha: 1 - options.CodebookDecay);
        var all = codebook.Uses.sum();
        var smoothed = (codebook.Uses + Smoothing) / (all + size * Smoothing) * all;
        codebook.Words.copy_(codebook.Sums / smoothed.unsqueeze(1));
        Replace(codebook, vectors, ref random);
        return uses.MoveToOuterDisposeScope();
    }

    /// <summary>Puts vectors of the batch, drawn at random, in place of codewords that are hardly used; they count as used
    /// evenly.</summary>
    private void Replace(Codebook codebook, Tensor vectors, ref SplitMix64 random)
    {
        var dead = (codebook.Uses < LeastUses(codebook)).nonzero().flatten();
        var count = (int)dead.numel();
        if (count == 0)
            return;
        var drawn = new long[count];
        for (var i = 0; i < count; i++)
            drawn[i] = (long)(random.NextDouble() * vectors.shape[0]);
        var words = vectors.index_select(0, tensor(drawn, device: vectors.device));
        var even = codebook.Uses.mean().item<float>();
        codebook.Words.index_copy_(0, dead, words);
        codebook.Uses.index_fill_(0, dead, even);
        codebook.Sums.index_copy_(0, dead, words * even);
    }

    /// <summary>Codewords from k-means over vectors, of which some, drawn at random, are the first means.</summary>
    private void Start(Codebook codebook, Tensor vectors, ref SplitMix64 random)
    {
        using var scope = NewDisposeScope();
        var (count, size) = ((int)vectors.shape[0], (int)codebook.Words.shape[0]);
        var order = random.Permutation(count);
        var first = Enumerable.Range(0, size).Select(word => (long)order[word % count]).ToArray();
        codebook.Words.copy_(vectors.index_select(0, tensor(first, device: vectors.device)));
        for (var round = 0; round < options.ClusteringRounds; round++)
        {
            using var inner = NewDisposeScope();
            var (uses, sums) = Assign();
            codebook.Words.copy_(where((uses > 0).unsqueeze(1), sums / uses.clamp_min(1).unsqueeze(1), codebook.Words));
        }

        var (last, lastSums) = Assign();
        codebook.Uses.copy_(last);
        codebook.Sums.copy_(lastSums);
        codebook.IsStarted.fill_(1);

        (Tensor Uses, Tensor Sums) Assign()
        {
            var assigned = F.one_hot(codebook.Nearest(vectors), size).to(vectors.dtype);
            return (assigned.sum(dim: 0), assigned.t().matmul(vectors));
        }
    }

    /// <summary>What comes of quantizing.</summary>
    /// <param name="Quantized">[B, D, T].</param>
    /// <param name="Commitment">The mean squared distance from what was quantized to its codewords.</param>
    /// <param name="Perplexity">The mean over codebooks.</param>
    /// <param name="UsedShare">The share of codewords that were used, the mean over codebooks.</param>
    public sealed record Result(Tensor Quantized, Tensor Commitment, double Perplexity, double UsedShare);
}
