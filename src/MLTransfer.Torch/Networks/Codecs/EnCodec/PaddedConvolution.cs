using MLTransfer.Torch.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>A convolution over time that makes ceil(T / stride) steps of T.</summary>
internal sealed class PaddedConvolution : CodecLayer
{
    private readonly EnCodecConfiguration _configuration;
    private readonly ConvolutionWeight _weight;
    private readonly Parameter _bias;
    private readonly OutputNorm? _norm;
    private readonly int _window;
    private readonly int _stride;
    private readonly int _dilation;

    /// <param name="weights">Has <c>conv.weight</c> [output, input, kernel], or its length and direction, <c>conv.bias</c> [output], and
    /// <c>norm.weight</c> and <c>norm.bias</c> [output] where outputs are normalized.</param>
    /// <param name="configuration">Of the codec.</param>
    /// <param name="inputChannels">Feature maps of the input.</param>
    /// <param name="outputChannels">Feature maps of the output.</param>
    /// <param name="kernel">Taps.</param>
    /// <param name="stride">Input steps for an output step.</param>
    /// <param name="dilation">Input steps from a tap to the next.</param>
    public PaddedConvolution(
        WeightScope weights, EnCodecConfiguration configuration, int inputChannels, int outputChannels, int kernel, int stride = 1,
        int dilation = 1)
        : base(nameof(PaddedConvolution))
    {
        (_configuration, _stride, _dilation, _window) = (configuration, stride, dilation, (kernel - 1) * dilation + 1);
        var initialization = Initialization.Normal(1 / Math.Sqrt(3.0 * inputChannels * kernel));
        _weight = new ConvolutionWeight(
            this, "conv", weights, configuration.HasWeightNorm, initialization, outputChannels, inputChannels, kernel);
        _bias = weights.Scope("conv").Take("bias", initialization, outputChannels);
        ModuleNode.Add(this, "conv.bias", _bias);
        if (!configuration.HasWeightNorm)
            register_module("norm", _norm = new OutputNorm(weights.Scope("norm"), outputChannels));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var (left, right) = Padding(input.shape[2]);
        var output = F.conv1d(
            Pad(input, left, right, _configuration.Padding), _weight.Value(training), _bias, stride: _stride, dilation: _dilation);
        return (_norm?.Forward(output) ?? output).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void train(bool on = true)
    {
        base.train(on);
        _weight.Forget();
    }

    /// <summary>The steps that are put before and after a length, so that windows have all their steps and none is left over.</summary>
    private (int Left, int Right) Padding(long length)
    {
        var total = _window - _stride;
        var filling = (int)((length + _stride - 1) / _stride * _stride - length);
        var right = _configuration.IsCausal ? 0 : total / 2;
        return (total - right, right + filling);
    }

    /// <summary>[B, channels, T] to [B, channels, left + T + right].</summary>
    private static Tensor Pad(Tensor input, int left, int right, PaddingModes mode)
    {
        if ((left, right) == (0, 0))
            return input;
        // A sound shorter than what is to be reflected is lengthened by zeros, which are cut off again.
        var missing = mode == PaddingModes.Reflect ? (int)Math.Max(0, Math.Max(left, right) - input.shape[2] + 1) : 0;
        var lengthened = missing == 0 ? input : F.pad(input, (0, missing));
        var padded = F.pad(lengthened, (left, right), mode);
        return missing == 0 ? padded : padded.narrow(2, 0, padded.shape[2] - missing);
    }
}
