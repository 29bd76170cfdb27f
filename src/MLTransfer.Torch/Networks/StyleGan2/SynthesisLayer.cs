using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>A modulated 3x3 convolution, noise, bias and leaky ReLU.</summary>
internal sealed class SynthesisLayer : NamedModule
{
    private readonly EqualizedLinear _affine;
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly Parameter _noiseStrength;
    private readonly Tensor _constantNoise;
    private readonly bool _doubles;
    private readonly double? _clamp;

    public SynthesisLayer(
        WeightScope weights, int inputChannels, int outputChannels, int styleWidth, int resolution, bool doubles, double? clamp)
        : base(nameof(SynthesisLayer))
    {
        (_doubles, _clamp) = (doubles, clamp);
        _affine = new EqualizedLinear(weights.Scope("affine"), styleWidth, inputChannels, initialBias: 1);
        _weight = weights.Take("weight", Initialization.Normal(1), outputChannels, inputChannels, 3, 3);
        _bias = weights.Take("bias", Initialization.Zeros, outputChannels);
        _noiseStrength = weights.Take("noise_strength", Initialization.Zeros);
        register_module("affine", _affine);
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
        register_parameter("noise_strength", _noiseStrength);
        _constantNoise = this.TakeBuffer(weights, "noise_const", Initialization.Normal(1), resolution, resolution);
        this.TakeResampleFilter(weights);
    }

    /// <summary>The noise map that belongs to the layer, [R, R].</summary>
    public Tensor ConstantNoise => _constantNoise;

    /// <summary>[N, input, R, R] and w [N, width] to [N, output, R, R], or 2R where the layer doubles.</summary>
    public Tensor Forward(Tensor input, Tensor w, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var styles = _affine.Forward(w); // [N, input]
        var demodulation = ModulatedConvolution.Demodulation(_weight, styles) * LeakyRelu.Gain;
        var output = ModulatedConvolution.Convolve(input, _weight, styles, _doubles);
        var bias = (_bias * LeakyRelu.Gain).view(1, -1, 1, 1);
        var shift = noise.Draw(_constantNoise, input.shape[0]) is { } map
            ? addcmul(bias, map, _noiseStrength * LeakyRelu.Gain, 1) // [1 or N, output, R, R]
            : bias;
        output = addcmul(shift.to(output.dtype), output, demodulation.to(output.dtype).unsqueeze(-1).unsqueeze(-1), 1);
        return LeakyRelu.Apply(output, _clamp).MoveToOuterDisposeScope();
    }
}
