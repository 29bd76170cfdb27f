using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.BatchNormalization"/>
/// <param name="Activation">What is applied to the result.</param>
/// <remarks>
/// Weights: <c>weight</c>, <c>bias</c>, <c>running_mean</c> and <c>running_var</c>, all [channels]. While training, the batch's statistics
/// are used and gathered; a frozen layer uses the gathered ones. PyTorch's <c>track_running_stats=False</c>, with which a row depends on
/// those beside it, is not offered.
/// </remarks>
public sealed record BatchNormalizationLayer(Activation Activation) : Layer
{
    /// <summary>What is added to the variance.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>The share of a batch's statistics in the gathered ones, from 0 to 1.</summary>
    public double Momentum { get; init; } = 0.1;

    /// <summary>Whether there are <c>weight</c> and <c>bias</c> (<c>affine</c>).</summary>
    public bool HasWeights { get; init; } = true;

    internal override Activation FinalActivation => Activation;

    internal override void Check()
    {
        CheckDefined(Activation);
        CheckEpsilon(nameof(Epsilon), Epsilon);
        if (Momentum is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(Momentum), Momentum, $"{nameof(Momentum)} must be from 0 to 1.");
    }

    internal override long[] OutputShape(LayerPlace place) => place.Shape.Length is 1 or 3
        ? place.Shape
        : throw place.Mismatch(
            "a vector [n] or a picture [channels, height, width]", $"Use {nameof(Layer)}.{nameof(LayerNormalization)} for sequences.");

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape) =>
    [
        .. !HasWeights ? [] : (LayerWeight[])
        [
            new("weight", [inputShape[0]], Initialization.Ones),
            new("bias", [inputShape[0]], Initialization.Zeros),
        ],
        new("running_mean", [inputShape[0]], Initialization.Zeros, IsTrainable: false),
        new("running_var", [inputShape[0]], Initialization.Ones, IsTrainable: false),
    ];

    /// <summary>How many batches PyTorch counted, which changes nothing.</summary>
    internal override IReadOnlyList<string> IgnoredWeights => ["num_batches_tracked"];

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => F.batch_norm(
        input, weights["running_mean"], weights["running_var"], weights.GetValueOrDefault("weight"), weights.GetValueOrDefault("bias"),
        pass.IsTraining, Momentum, Epsilon);
}
