using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>
/// Where the layers of one network take the random numbers of dropout from; a training run puts a generator of its own in.
/// </summary>
internal sealed class DropoutSource
{
    /// <summary>The generator; null for libtorch's own, which all of the process draws from.</summary>
    public Generator? Generator { get; set; }

    /// <summary>
    /// In training zeroes each element with a probability and scales the others up. On the CPU the same bits as libtorch's from a generator
    /// of the same seed.
    /// </summary>
    /// <param name="x">Any shape.</param>
    /// <param name="probability">From 0 to less than 1.</param>
    /// <param name="training">False gives <paramref name="x"/> itself.</param>
    public Tensor Apply(Tensor x, double probability, bool training)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!training || probability == 0)
            return x;
        if (Generator is null)
            return F.dropout(x, probability, training: true);
        using var scope = NewDisposeScope();
        return (x * Mask(x, probability)).MoveToOuterDisposeScope();
    }

    /// <summary>Whether something happens that happens with a probability, such as that a layer is left out.</summary>
    /// <param name="probability">From 0 to less than 1; nothing is drawn for 0.</param>
    public bool Happens(double probability)
    {
        if (probability == 0)
            return false;
        using var drawn = rand(1, generator: Generator);
        return drawn.item<float>() < probability;
    }

    /// <summary>0 or 1 / (1 - probability) for each element.</summary>
    private Tensor Mask(Tensor x, double probability)
    {
        using var gradients = no_grad();
        var kept = x.device_type == TorchSharp.DeviceType.CPU
            ? empty_like(x).bernoulli_(1 - probability, Generator)
            : HashedDraws.Bernoulli(x, 1 - probability, Generator!);
        return kept.div_(1 - probability);
    }
}
