using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.AveragePooling"/>
/// <param name="Size">Height and width of the windows; rows and columns beyond the last whole window are left out.</param>
public sealed record AveragePoolingLayer(HeightWidth Size) : Layer
{
    /// <summary>Steps between the windows; null for windows that lie side by side.</summary>
    public HeightWidth? Stride { get; init; }

    /// <summary>Zeros around the input, at most half a window.</summary>
    public HeightWidth Padding { get; init; }

    /// <summary>Whether zeros around the input count in the mean (<c>count_include_pad</c>).</summary>
    public bool CountsPadding { get; init; } = true;

    internal override void Check() => CheckPooling(Size, Stride, Padding);

    internal override long[] OutputShape(LayerPlace place) => place.Windows(Size, Stride ?? Size, Padding);

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => F.avg_pool2d(
        input, Size.ToArray(), (Stride ?? Size).ToArray(), Padding.ToArray(), count_include_pad: CountsPadding);
}
