using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Upsampling"/>
/// <param name="Factor">How many times larger the output is.</param>
public sealed record UpsamplingLayer(HeightWidth Factor) : Layer
{
    internal override void Check() => CheckSizes(nameof(Factor), Factor);

    internal override long[] OutputShape(LayerPlace place)
    {
        var (channels, height, width) = place.Picture();
        return [channels, checked(height * Factor.Height), checked(width * Factor.Width)];
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        input.repeat_interleave(Factor.Height, 2).repeat_interleave(Factor.Width, 3);
}
