using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.MaximumPooling"/>
/// <param name="Size">Height and width of the windows, which lie side by side; rows and columns beyond the last whole window are left
/// out.</param>
public sealed record MaximumPoolingLayer(int Size) : Layer
{
    internal override void Check() => CheckSize(nameof(Size), Size);

    internal override long[] OutputShape(LayerPlace place) => place.Windows(Size);

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.max_pool2d(input, [Size, Size]);
}
