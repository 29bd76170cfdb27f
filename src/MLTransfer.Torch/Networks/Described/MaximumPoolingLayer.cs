using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.MaximumPooling"/>
/// <param name="Size">Height and width of the windows; rows and columns beyond the last whole window are left out.</param>
public sealed record MaximumPoolingLayer(HeightWidth Size) : Layer
{
    /// <summary>Steps between the windows; null for windows that lie side by side.</summary>
    public HeightWidth? Stride { get; init; }

    /// <summary>What windows may reach beyond the input, at most half a window.</summary>
    public HeightWidth Padding { get; init; }

    internal override void Check() => CheckPooling(Size, Stride, Padding);

    internal override long[] OutputShape(LayerPlace place) => place.Windows(Size, Stride ?? Size, Padding);

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.max_pool2d(input, Size.ToArray(), (Stride ?? Size).ToArray(), Padding.ToArray());
}
