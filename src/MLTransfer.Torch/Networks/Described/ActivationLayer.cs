using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Activate"/>
/// <param name="Activation">The function.</param>
public sealed record ActivationLayer(Activation Activation) : Layer
{
    internal override Activation FinalActivation => Activation;

    internal override void Check() => CheckDefined(Activation);

    internal override long[] OutputShape(LayerPlace place) => place.Shape;

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => input.alias();
}
