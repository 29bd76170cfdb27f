using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>A convolution over time that makes ceil(T / stride) steps of T; perhaps of the exponential linear unit of its input.</summary>
internal sealed unsafe class PaddedConvolution : CodecLayer
{
    /// <summary>Up to here products are computed output by output: a pair of vectors would be mostly empty.</summary>
    private const int FewOutputs = 4;

    private readonly EnCodecConfiguration _configuration;
    private readonly ConvolutionWeight _weight;
    private readonly OutputNorm? _norm;
    private readonly int _kernel;
    private readonly int _stride;
    private readonly int _dilation;
    private readonly bool _activates;

    /// <param name="weights">Has <c>conv.weight</c> [output, input, kernel], or its length and direction, <c>conv.bias</c> [output], and
    /// <c>norm.weight</c> and <c>norm.bias</c> [output] where outputs are normalized.</param>
    /// <param name="configuration">Of the codec.</param>
    /// <param name="inputChannels">Feature maps of the input.</param>
    /// <param name="outputChannels">Feature maps of the output.</param>
    /// <param name="kernel">Taps.</param>
    /// <param name="activates">Whether it reads the exponential linear unit of its input.</param>
    /// <param name="stride">Input steps for an output step.</param>
    /// <param name="dilation">Input steps from a tap to the next.</param>
    public PaddedConvolution(
        WeightScope weights, EnCodecConfiguration configuration, int inputChannels, int outputChannels, int kernel, bool activates,
        int stride = 1, int dilation = 1)
        : base(nameof(PaddedConvolution))
    {
        (_configuration, _activates, _kernel, _stride, _dilation) = (configuration, activates, kernel, stride, dilation);
        var initialization = Initialization.Normal(1 / Math.Sqrt((double)inputChannels * kernel)); // keeps the size of what goes through
        _weight = new ConvolutionWeight(
            this, "conv", weights, configuration.HasWeightNorm, initialization, outputChannels, inputChannels, kernel);
        Bias = weights.Scope("conv").Take("bias", Initialization.Zeros, outputChannels);
        ModuleNode.Add(this, "conv.bias", Bias);
        if (!configuration.HasWeightNorm)
            register_module("norm", _norm = new OutputNorm(weights.Scope("norm"), outputChannels));
        OutputChannels = outputChannels;
    }

    /// <inheritdoc/>
    public override int OutputChannels { get; }

    public Parameter Bias { get; }

    private bool IsOneRun => _dilation == 1 || _kernel == 1;

    /// <inheritdoc/>
    public override int StepsOf(int steps) => (int)(((long)steps + _stride - 1) / _stride);

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var (left, right) = Padding(input.shape[2]);
        var output = F.conv1d(
            Pad(_activates ? input.elu() : input, left, right, _configuration.Padding), _weight.Value(training), Bias, stride: _stride,
            dilation: _dilation);
        return (_norm?.Forward(output) ?? output).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override RowDemand Demand(int steps)
    {
        var (left, right) = Padding(steps);
        return new(Plain: !_activates, Activated: _activates, new RowRoom(left, right + RowConvolution.SpareRows * _stride));
    }

    /// <inheritdoc/>
    public override void Run(RowForms input, RowForms output)
    {
        var source = (_activates ? input.Activated : input.Plain)!;
        if (OutputChannels <= FewOutputs && IsOneRun && output.Activated is null)
        {
            var weights = _weight.Packed(static weight => weight.permute(0, 2, 1).flatten(1).contiguous());
            RowConvolution.ComputeFew(PadAndBegin(source), _stride * source.Channels, weights, output.Steps, Bias, output.PlainAt(0));
            GC.KeepAlive(weights);
            return;
        }

        Span<RowConvolution.Part> parts = stackalloc RowConvolution.Part[IsOneRun ? 1 : _kernel];
        var packed = WriteParts(source, parts);
        RowConvolution.Compute(parts, output.Steps, Bias, addend: null, output.PlainAt(0), output.ActivatedAt(0));
        GC.KeepAlive(packed);
    }

    /// <summary>What is summed up for a step of the output; one part, or one for each tap where they are apart.</summary>
    /// <returns>The weights, to be kept alive.</returns>
    public Tensor WriteParts(RowSequence source, Span<RowConvolution.Part> parts)
    {
        var packed = _weight.Packed(weight =>
        {
            var taps = weight.permute(2, 1, 0); // [kernel, input, output]
            return RowConvolution.Pack(IsOneRun ? taps.reshape(1, -1, taps.shape[2]) : taps);
        });
        var start = PadAndBegin(source);
        var weights = (float*)NativeTensor.Pointer(packed);
        var partWeights = (nint)(packed.numel() / parts.Length);
        for (var part = 0; part < parts.Length; part++)
        {
            parts[part] = new(
                (nint)(start + (nint)part * _dilation * source.Channels), _stride * source.Channels,
                source.Channels * (IsOneRun ? _kernel : 1), (nint)(weights + part * partWeights));
        }

        return packed;
    }

    /// <inheritdoc/>
    public override void train(bool on = true)
    {
        base.train(on);
        _weight.Forget();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _weight.Dispose();
        base.Dispose(disposing);
    }

    private float* PadAndBegin(RowSequence source)
    {
        var (left, right) = Padding(source.Steps);
        source.Pad(left, right, _configuration.Padding);
        return source[-left];
    }

    /// <summary>The steps that are put before and after a length, so that windows have all their steps and none is left over.</summary>
    private (int Left, int Right) Padding(long length)
    {
        var total = (_kernel - 1) * _dilation + 1 - _stride;
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
