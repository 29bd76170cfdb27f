using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// Noise on the embeddings of tokens in training (NEFTune, arXiv 2310.05914): uniform from -1 to 1, times alpha / sqrt(length * width), the
/// length with padding.
/// </summary>
/// <param name="alpha">How much.</param>
/// <param name="seeds">A seed for each row of the batch, so that its noise does not depend on the rows beside it.</param>
internal class EmbeddingNoise(double alpha, IReadOnlyList<ulong> seeds)
{
    /// <summary>Adds noise to what a table gave, in place.</summary>
    /// <param name="embeddings">[batch, length, width].</param>
    /// <param name="scale">What the network multiplies the noisy embeddings with, although the noise comes after that.</param>
    /// <param name="stream">Tells the tables of a network apart.</param>
    public void AddTo(Tensor embeddings, double scale, ulong stream)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (length, width) = (embeddings.shape[1], embeddings.shape[2]);
        var magnitude = alpha / Math.Sqrt(length * width) / scale;
        for (var row = 0; row < embeddings.shape[0]; row++)
        {
            using var rowScope = NewDisposeScope();
            var draws = Draw(row, stream, length, width).to(embeddings.dtype, embeddings.device);
            embeddings[row].add_(draws, alpha: magnitude);
        }
    }

    /// <summary>Uniform from -1 to 1: [length, width].</summary>
    protected virtual Tensor Draw(int row, ulong stream, long length, long width)
    {
        using var generator = new Generator(SplitMix64.Mix(seeds[row], stream));
        return rand([length, width], generator: generator).mul_(2).sub_(1);
    }
}
