using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.LayerNormalization"/>
/// <remarks>Weights: <c>weight</c> and <c>bias</c>, of the last <see cref="Dimensions"/> extents.</remarks>
public sealed record LayerNormalizationLayer : Layer
{
    /// <summary>What is added to the variance.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Over how many dimensions, the last ones, mean and variance go: the length of PyTorch's <c>normalized_shape</c>.</summary>
    public int Dimensions { get; init; } = 1;

    /// <summary>Whether there is a <c>weight</c> (<c>elementwise_affine</c>).</summary>
    public bool HasWeights { get; init; } = true;

    /// <summary>Whether there is a <c>bias</c>, where there is a <c>weight</c>.</summary>
    public bool HasBias { get; init; } = true;

    internal override void Check()
    {
        CheckEpsilon(nameof(Epsilon), Epsilon);
        if (Dimensions is < 1 or > 8)
            throw new ArgumentOutOfRangeException(nameof(Dimensions), Dimensions, $"{nameof(Dimensions)} must be from 1 to 8.");
    }

    internal override long[] OutputShape(LayerPlace place) => place.Shape.Length >= Dimensions
        ? place.Shape
        : throw place.Mismatch($"at least {Dimensions} dimensions", $"Use fewer {nameof(Dimensions)}.");

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape)
    {
        if (!HasWeights)
            return [];
        var weight = new LayerWeight("weight", inputShape[^Dimensions..], Initialization.Ones);
        return HasBias ? [weight, new("bias", inputShape[^Dimensions..], Initialization.Zeros)] : [weight];
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.layer_norm(input, input.shape[^Dimensions..], weights.GetValueOrDefault("weight"), weights.GetValueOrDefault("bias"), Epsilon);
}
