using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>A convolution of the discriminator, with an equalized learning rate; half the resolution where asked for.</summary>
internal sealed class EqualizedConvolution : NamedModule
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly int _kernel;
    private readonly bool _halves;
    private readonly double _weightGain;
    private readonly double _biasGain;
    private readonly double? _limit;

    /// <param name="weights">Has <c>weight</c> [output, input, kernel, kernel], and <c>bias</c> [output] where the layer activates.</param>
    /// <param name="inputChannels">Feature maps of the input.</param>
    /// <param name="outputChannels">Feature maps of the output.</param>
    /// <param name="kernel">1 or 3.</param>
    /// <param name="activates">Whether there is a bias and a leaky ReLU with gain sqrt 2.</param>
    /// <param name="halves">Whether it filters and keeps every second pixel.</param>
    /// <param name="gain">A factor on the output.</param>
    /// <param name="clamp">The largest magnitude of the output, without the gain; null for any.</param>
    public EqualizedConvolution(
        WeightScope weights, int inputChannels, int outputChannels, int kernel, bool activates, bool halves = false, double gain = 1,
        double? clamp = null)
        : base(nameof(EqualizedConvolution))
    {
        (_kernel, _halves) = (kernel, halves);
        _weight = weights.Take("weight", Initialization.Normal(1), outputChannels, inputChannels, kernel, kernel);
        register_parameter("weight", _weight);
        this.TakeResampleFilter(weights);
        if (activates)
        {
            _bias = weights.Take("bias", Initialization.Zeros, outputChannels);
            register_parameter("bias", _bias);
            gain *= LeakyRelu.Gain;
            _limit = clamp * gain / LeakyRelu.Gain;
        }

        _weightGain = gain / Math.Sqrt(inputChannels * kernel * kernel);
        _biasGain = gain;
    }

    /// <summary>[N, input, R, R] to [N, output, R, R], or R/2 where the layer halves; computed in the input's type.</summary>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var weight = (_weight * _weightGain).to(input.dtype);
        var bias = _bias is null ? null : (_bias * _biasGain).to(input.dtype);
        var padding = _kernel / 2;
        var output = (_halves, _kernel) switch
        {
            // A convolution of one pixel may as well come after the pixels are left out.
            (true, 1) => F.conv2d(Resampling.Smooth(input, padding: 1, stride: 2), weight, bias),
            (true, _) => F.conv2d(Resampling.Smooth(input, padding: 2), weight, bias, strides: [2, 2]),
            _ => F.conv2d(input, weight, bias, padding: [padding, padding]),
        };
        return (bias is null ? output : LeakyRelu.Apply(output, _limit)).MoveToOuterDisposeScope();
    }
}
