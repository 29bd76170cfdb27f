using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Dense"/>
/// <param name="Units">The width of the output.</param>
/// <param name="Activation">What is applied to the result.</param>
/// <remarks>Weights: <c>weight</c> [units, n] and <c>bias</c> [units].</remarks>
public sealed record DenseLayer(int Units, Activation Activation) : Layer
{
    /// <summary>Whether there is a <c>bias</c>.</summary>
    public bool HasBias { get; init; } = true;

    internal override Activation FinalActivation => Activation;

    internal override void Check()
    {
        CheckSize(nameof(Units), Units);
        CheckDefined(Activation);
    }

    internal override long[] OutputShape(LayerPlace place) => place.Shape.Length is 1 or 2
        ? [.. place.Shape[..^1], Units]
        : throw place.Mismatch("a vector [n] or a sequence [length, n]", $"Put {nameof(Layer)}.{nameof(Flatten)} or "
            + $"{nameof(Layer)}.{nameof(GlobalAveragePooling)} between them.");

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape)
    {
        var weight = new LayerWeight(
            "weight", [Units, inputShape[^1]], WeightInitialization.Before(Activation, inputShape[^1], Units));
        return HasBias ? [weight, new("bias", [Units], Initialization.Zeros)] : [weight];
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.linear(input, weights["weight"], weights.GetValueOrDefault("bias"));
}
