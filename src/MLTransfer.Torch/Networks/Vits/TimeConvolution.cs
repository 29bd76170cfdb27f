using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>A convolution over time that keeps the length.</summary>
internal sealed class TimeConvolution : NamedModule
{
    private readonly ConvolutionWeight _weight;
    private readonly Parameter? _bias;
    private readonly int _before;
    private readonly int _after;

    /// <param name="weights">Has <c>weight</c> [outputs, inputs / groups, kernel] and <c>bias</c> [outputs].</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="kernel">The frames that an output sees. An even number sees one more frame after than before.</param>
    /// <param name="dilation">The distance between them.</param>
    /// <param name="groups">Channels are seen in so many groups.</param>
    /// <param name="hasBias">Whether there is a bias.</param>
    /// <param name="isNormalized">Whether the weight is normalized.</param>
    /// <param name="deviation">Of new weights; null for that of PyTorch's convolutions.</param>
    public TimeConvolution(
        WeightScope weights, int inputs, int outputs, int kernel, int dilation = 1, int groups = 1, bool hasBias = true,
        bool isNormalized = false, double? deviation = null)
        : base(nameof(TimeConvolution))
    {
        (Kernel, Dilation, Groups) = (kernel, dilation, groups);
        _before = (kernel - 1) * dilation / 2;
        _after = (kernel - 1) * dilation - _before;
        var initialization = deviation switch
        {
            0 => Initialization.Zeros,
            { } given => Initialization.Normal(given),
            null => Initialization.Normal(1 / Math.Sqrt(3.0 * inputs / groups * kernel)),
        };
        _weight = new ConvolutionWeight(this, null, weights, isNormalized, initialization, outputs, inputs / groups, kernel);
        if (hasBias)
            register_parameter("bias", _bias = weights.Take("bias", Initialization.Zeros, outputs));
    }

    public int Kernel { get; }

    public int Dilation { get; }

    public int Groups { get; }

    /// <summary>[outputs], or null.</summary>
    public Parameter? Bias => _bias;

    /// <summary>[outputs, inputs / groups, kernel].</summary>
    public Tensor Weight() => _weight.Value(training);

    /// <summary>The weight as kernels read it.</summary>
    public Tensor Packed(Func<Tensor, Tensor> pack) => _weight.Packed(pack);

    /// <summary>[N, inputs, T] to [N, outputs, T].</summary>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var isEven = _before == _after;
        var padded = isEven ? input : F.pad(input, [_before, _after]);
        return F.conv1d(padded, Weight(), _bias, stride: 1, padding: isEven ? _before : 0, dilation: Dilation, groups: Groups)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="ConvolutionWeight.Free"/>
    public void Free() => _weight.Free();

    /// <inheritdoc/>
    public override void train(bool on = true)
    {
        base.train(on);
        _weight.Forget();
    }
}
