using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Images;

/// <summary>Codewords that are drawn in proportion to the exponentials of their logits, in a form that gradients go through.</summary>
/// <remarks>B: batch, V: codewords, h, w: places of a picture.</remarks>
internal static class CodewordDraw
{
    /// <summary>Weights of codewords, which sum to 1 at each place: [B, V, h, w].</summary>
    /// <param name="logits">[B, V, h, w].</param>
    /// <param name="noise">From a Gumbel distribution, [B, V, h, w]: the largest sum is that of a codeword that is drawn so.</param>
    /// <param name="temperature">Lower ones bring the weights nearer to one codeword.</param>
    /// <param name="relaxation">What is read of them.</param>
    public static Tensor Weights(Tensor logits, Tensor noise, double temperature, CodewordRelaxation relaxation)
    {
        using var scope = NewDisposeScope();
        var soft = ((logits + noise) / temperature).softmax(1);
        if (relaxation == CodewordRelaxation.Soft)
            return soft.MoveToOuterDisposeScope();
        var largest = soft.detach().argmax(1, keepdim: true); // [B, 1, h, w]
        var hard = zeros_like(soft).scatter_(1, largest, ones_like(largest, soft.dtype));
        var slope = relaxation == CodewordRelaxation.StraightThrough ? soft : SecondOrder(logits, hard, temperature);
        return (hard - slope.detach() + slope).MoveToOuterDisposeScope();
    }

    /// <summary>Numbers that depend on nothing but a seed for each row: [rows, V, h, w].</summary>
    public static Tensor Noise(IReadOnlyList<long> seeds, ReadOnlySpan<long> shape, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = new Tensor[seeds.Count];
        foreach (var (row, seed) in seeds.Index())
        {
            using var draws = new RandomDraws(seed, 0);
            // the logarithm of an exponential variable, less its sign; 0 is too seldom to be drawn, but would be infinite
            rows[row] = SeededTensors.Filled(
                shape, ScalarType.Float32, device, draws.Generator, values => values.exponential_(1, draws.Generator))
                .clamp_min_(1e-30).log_().neg_();
        }

        return stack(rows).MoveToOuterDisposeScope();
    }

    /// <summary>What the gradient is taken of (algorithm 2 of ReinMax).</summary>
    private static Tensor SecondOrder(Tensor logits, Tensor hard, double temperature)
    {
        var middle = (hard + (logits / temperature).softmax(1)) / 2;
        var aligned = ((middle.log() - logits).detach() + logits).softmax(1);
        return 2 * aligned - 0.5 * logits.softmax(1);
    }
}
