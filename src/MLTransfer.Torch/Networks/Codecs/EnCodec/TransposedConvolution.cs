using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>A transposed convolution over time that makes T times stride steps of T: what it makes beyond is cut off.</summary>
internal sealed class TransposedConvolution : CodecLayer
{
    private readonly ConvolutionWeight _weight;
    private readonly Parameter _bias;
    private readonly OutputNorm? _norm;
    private readonly int _stride;
    private readonly int _trimLeft;

    /// <param name="weights">As a <see cref="PaddedConvolution"/> has them, <c>conv.weight</c> [input, output, kernel].</param>
    /// <param name="configuration">Of the codec.</param>
    /// <param name="inputChannels">Feature maps of the input.</param>
    /// <param name="outputChannels">Feature maps of the output.</param>
    /// <param name="stride">Output steps for an input step; the kernel has twice as many taps.</param>
    public TransposedConvolution(
        WeightScope weights, EnCodecConfiguration configuration, int inputChannels, int outputChannels, int stride)
        : base(nameof(TransposedConvolution))
    {
        _stride = stride;
        var excess = stride; // kernel - stride
        _trimLeft = excess - (configuration.IsCausal ? (int)Math.Ceiling(excess * configuration.TrimRightRatio) : excess / 2);
        var initialization = Initialization.Normal(1 / Math.Sqrt(3.0 * outputChannels * 2 * stride));
        _weight = new ConvolutionWeight(
            this, "conv", weights, configuration.HasWeightNorm, initialization, inputChannels, outputChannels, 2 * stride);
        _bias = weights.Scope("conv").Take("bias", initialization, outputChannels);
        ModuleNode.Add(this, "conv.bias", _bias);
        if (!configuration.HasWeightNorm)
            register_module("norm", _norm = new OutputNorm(weights.Scope("norm"), outputChannels));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var output = F.conv_transpose1d(input, _weight.Value(training), _bias, stride: _stride);
        output = _norm?.Forward(output) ?? output;
        return output.narrow(2, _trimLeft, input.shape[2] * _stride).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void train(bool on = true)
    {
        base.train(on);
        _weight.Forget();
    }
}
