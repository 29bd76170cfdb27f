using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// Scales the gradient of each loss by the decoded sounds so that its weight is its share of the whole gradient (arXiv 2210.13438,
/// section 3.4): by running means of their norms.
/// </summary>
internal sealed class GradientBalancer
{
    /// <summary>How much of a running mean stays.</summary>
    private const double Decay = 0.999;

    private Dictionary<string, Mean> _means = [];

    /// <summary>A running mean, and the sum of weights that it is divided by.</summary>
    /// <param name="Sum">Of norms, each smaller by the decay for every step since.</param>
    /// <param name="Weight">Of ones, likewise.</param>
    public sealed record Mean(double Sum, double Weight);

    /// <summary>By the losses' names.</summary>
    public IReadOnlyDictionary<string, Mean> Means
    {
        get => _means;
        set => _means = new(value);
    }

    /// <summary>The balanced gradient by the decoded sounds.</summary>
    /// <param name="losses">Names, weights, and losses that depend on <paramref name="decoded"/>.</param>
    /// <param name="decoded">[B, channels, samples], a leaf that takes gradients.</param>
    /// <param name="isBalanced">Whether norms matter; else it is the gradient of the weighted sum.</param>
    /// <returns>The shape of the sounds.</returns>
    public Tensor Gradient(IReadOnlyList<(string Name, double Weight, Tensor Loss)> losses, Tensor decoded, bool isBalanced)
    {
        using var scope = NewDisposeScope();
        var all = losses.Sum(loss => loss.Weight);
        var sum = zeros_like(decoded);
        foreach (var (name, weight, loss) in losses.Where(loss => loss.Weight > 0))
        {
            using var inner = NewDisposeScope();
            var gradient = autograd.grad([loss], [decoded], retain_graph: true)[0];
            var factor = weight;
            if (isBalanced)
            {
                var norm = gradient.flatten(1).square().sum(1).sqrt().mean().item<float>();
                var mean = _means.GetValueOrDefault(name, new(0, 0));
                _means[name] = mean = new(mean.Sum * Decay + norm, mean.Weight * Decay + 1);
                factor = weight / all / Math.Max(mean.Sum / mean.Weight, 1e-12);
            }

            sum.add_(gradient, alpha: factor);
        }

        return sum.MoveToOuterDisposeScope();
    }
}
