using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Flatten"/>
public sealed record FlattenLayer : Layer
{
    internal override long[] OutputShape(LayerPlace place) => [place.Shape.Aggregate(1L, (product, extent) => product * extent)];

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => input.flatten(1);
}
