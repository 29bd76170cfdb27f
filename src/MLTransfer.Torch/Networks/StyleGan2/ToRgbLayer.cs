using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>A modulated 1x1 convolution to the image's channels, without demodulation and activation.</summary>
internal sealed class ToRgbLayer : NamedModule
{
    private readonly EqualizedLinear _affine;
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly double _styleGain;
    private readonly double? _clamp;

    public ToRgbLayer(WeightScope weights, int inputChannels, int imageChannels, int styleWidth, double? clamp)
        : base(nameof(ToRgbLayer))
    {
        _clamp = clamp;
        _affine = new EqualizedLinear(weights.Scope("affine"), styleWidth, inputChannels, initialBias: 1);
        _weight = weights.Take("weight", Initialization.Normal(1), imageChannels, inputChannels, 1, 1);
        _bias = weights.Take("bias", Initialization.Zeros, imageChannels);
        _styleGain = 1 / Math.Sqrt(inputChannels);
        register_module("affine", _affine);
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
    }

    /// <summary>[N, input, R, R] and w [N, width] to [N, image channels, R, R], in the type of the weights.</summary>
    public Tensor Forward(Tensor input, Tensor w)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (input.shape[0], input.shape[1], input.shape[2], input.shape[3]);
        var styles = _affine.Forward(w) * _styleGain; // [N, input]

        // A matrix of three rows for each sample is less than a scaled copy of the input.
        var matrices = _weight.view(1, -1, channels) * styles.unsqueeze(1);              // [N, image channels, input]
        var pixels = bmm(matrices.to(input.dtype), input.view(batch, channels, height * width)).to(_bias.dtype) + _bias.view(1, -1, 1);
        if (_clamp is { } limit)
            pixels = pixels.clamp(-limit, limit);
        return pixels.view(batch, -1, height, width).MoveToOuterDisposeScope();
    }
}
