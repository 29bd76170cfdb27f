using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>
/// A transposed convolution over time of the exponential linear unit of its input, which makes T times stride steps of T: what it makes
/// beyond is cut off.
/// </summary>
internal sealed unsafe class TransposedConvolution : CodecLayer
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
        var initialization = Initialization.Normal(1 / Math.Sqrt(2.0 * inputChannels)); // two taps reach an output step
        _weight = new ConvolutionWeight(
            this, "conv", weights, configuration.HasWeightNorm, initialization, inputChannels, outputChannels, 2 * stride);
        _bias = weights.Scope("conv").Take("bias", Initialization.Zeros, outputChannels);
        ModuleNode.Add(this, "conv.bias", _bias);
        if (!configuration.HasWeightNorm)
            register_module("norm", _norm = new OutputNorm(weights.Scope("norm"), outputChannels));
        OutputChannels = outputChannels;
    }

    /// <inheritdoc/>
    public override int OutputChannels { get; }

    /// <inheritdoc/>
    public override RowRoom Overhang => new(_trimLeft, _stride - _trimLeft);

    /// <inheritdoc/>
    public override int StepsOf(int steps) => checked(steps * _stride);

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var output = F.conv_transpose1d(input.elu(), _weight.Value(training), _bias, stride: _stride);
        output = _norm?.Forward(output) ?? output;
        return output.narrow(2, _trimLeft, input.shape[2] * _stride).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override RowDemand Demand(int steps) =>
        new(Plain: false, Activated: true, new RowRoom(1, 1 + RowConvolution.SpareRows));

    /// <summary>
    /// A row is a stride of outputs, [stride, output channels], to which a step of the input and the one before it contribute: as many rows
    /// as steps and one.
    /// </summary>
    /// <inheritdoc/>
    public override void Run(RowForms input, RowForms output)
    {
        using var scope = NewDisposeScope();
        var source = input.Activated!;
        var packed = _weight.Packed(weight =>
        {
            var taps = weight.permute(0, 2, 1); // [input, kernel, output]
            var (ofStep, ofEarlier) = (taps.narrow(1, 0, _stride).flatten(1), taps.narrow(1, _stride, _stride).flatten(1));
            return RowConvolution.Pack(cat([ofEarlier, ofStep], 0).unsqueeze(0));
        });
        source.Pad(1, 1, PaddingModes.Constant);
        Span<RowConvolution.Part> parts =
            [new((nint)source[-1], source.Channels, 2 * source.Channels, (nint)NativeTensor.Pointer(packed))];
        RowConvolution.Compute(
            parts, source.Steps + 1, _bias.repeat(_stride), addend: null, output.PlainAt(-_trimLeft),
            output.ActivatedAt(-_trimLeft));
        GC.KeepAlive(packed);
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
}
