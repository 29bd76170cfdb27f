using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The residual block of one resolution, which halves it; the first one also reads the image.</summary>
internal sealed class DiscriminatorBlock : NamedModule
{
    private readonly EqualizedConvolution? _fromRgb;
    private readonly EqualizedConvolution _first;
    private readonly EqualizedConvolution _second;
    private readonly EqualizedConvolution _skip;

    public DiscriminatorBlock(WeightScope weights, StyleGan2Configuration.DiscriminatorSizes sizes, int resolution)
        : base(nameof(DiscriminatorBlock))
    {
        var (channels, nextChannels, clamp) = (sizes.Channels(resolution), sizes.Channels(resolution / 2), sizes.Clamp);
        if (resolution == sizes.ImageResolution)
        {
            _fromRgb =
                new EqualizedConvolution(weights.Scope("fromrgb"), sizes.ImageChannels, channels, kernel: 1, activates: true, clamp: clamp);
            register_module("fromrgb", _fromRgb);
        }

        var half = Math.Sqrt(0.5); // keeps the variance of the two branches' sum
        _first = new EqualizedConvolution(weights.Scope("conv0"), channels, channels, kernel: 3, activates: true, clamp: clamp);
        _second = new EqualizedConvolution(
            weights.Scope("conv1"), channels, nextChannels, kernel: 3, activates: true, halves: true, gain: half, clamp: clamp);
        _skip =
            new EqualizedConvolution(weights.Scope("skip"), channels, nextChannels, kernel: 1, activates: false, halves: true, gain: half);
        register_module("conv0", _first);
        register_module("conv1", _second);
        register_module("skip", _skip);
        this.TakeResampleFilter(weights);
    }

    /// <summary>Features (or, in the first block, the image) [N, C, R, R] to [N, C', R/2, R/2].</summary>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var features = _fromRgb is null ? input : _fromRgb.Forward(input);
        var residual = _second.Forward(_first.Forward(features));
        return (_skip.Forward(features) + residual).MoveToOuterDisposeScope();
    }
}
