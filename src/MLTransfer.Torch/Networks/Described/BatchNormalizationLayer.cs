using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.BatchNormalization"/>
/// <param name="Activation">What is applied to the result.</param>
/// <remarks>
/// Weights: <c>weight</c>, <c>bias</c>, <c>running_mean</c> and <c>running_var</c>, all [channels]. While training, the batch's statistics
/// are used and gathered with a momentum of 0.1; a frozen layer uses the gathered ones.
/// </remarks>
public sealed record BatchNormalizationLayer(Activation Activation) : Layer
{
    internal const double Epsilon = 1e-5;

    internal override Activation FinalActivation => Activation;

    internal override void Check() => CheckDefined(Activation);

    internal override long[] OutputShape(LayerPlace place) => place.Shape.Length is 1 or 3
        ? place.Shape
        : throw place.Mismatch(
            "a vector [n] or a picture [channels, height, width]", $"Use {nameof(Layer)}.{nameof(LayerNormalization)} for sequences.");

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape) =>
    [
        new("weight", [inputShape[0]], Initialization.Ones),
        new("bias", [inputShape[0]], Initialization.Zeros),
        new("running_mean", [inputShape[0]], Initialization.Zeros, IsTrainable: false),
        new("running_var", [inputShape[0]], Initialization.Ones, IsTrainable: false),
    ];

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => F.batch_norm(
        input, weights["running_mean"], weights["running_var"], weights["weight"], weights["bias"], pass.IsTraining, momentum: 0.1,
        eps: Epsilon);
}
