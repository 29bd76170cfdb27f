using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.LayerNormalization"/>
/// <remarks>Weights: <c>weight</c> and <c>bias</c>, both of the last dimension's extent.</remarks>
public sealed record LayerNormalizationLayer : Layer
{
    internal const double Epsilon = 1e-5;

    internal override long[] OutputShape(LayerPlace place) => place.Shape;

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape) =>
        [new("weight", [inputShape[^1]], Initialization.Ones), new("bias", [inputShape[^1]], Initialization.Zeros)];

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.layer_norm(input, [input.shape[^1]], weights["weight"], weights["bias"], Epsilon);
}
