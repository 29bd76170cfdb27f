using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.GlobalAveragePooling"/>
public sealed record GlobalAveragePoolingLayer : Layer
{
    internal override long[] OutputShape(LayerPlace place) => [place.Picture().Channels];

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => input.mean([2, 3]);
}
