using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>A transposed convolution over time that makes the length so many times as large.</summary>
internal sealed class TransposedConvolution : NamedModule
{
    private readonly ConvolutionWeight _weight;

    /// <param name="weights">Has <c>weight</c> [inputs, outputs, kernel] and <c>bias</c> [outputs].</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="kernel">The outputs that an input reaches.</param>
    /// <param name="rate">Outputs an input.</param>
    /// <param name="isNormalized">Whether the weight is normalized.</param>
    public TransposedConvolution(WeightScope weights, int inputs, int outputs, int kernel, int rate, bool isNormalized)
        : base(nameof(TransposedConvolution))
    {
        (Kernel, Rate, Padding) = (kernel, rate, (kernel - rate) / 2);
        _weight = new ConvolutionWeight(
            this, null, weights, isNormalized, Initialization.Normal(ResidualBlock.Deviation), inputs, outputs, kernel);
        register_parameter("bias", Bias = weights.Take("bias", Initialization.Zeros, outputs));
    }

    public int Kernel { get; }

    public int Rate { get; }

    /// <summary>What is cut off at each end.</summary>
    public int Padding { get; }

    public Parameter Bias { get; }

    /// <summary>[inputs, outputs, kernel].</summary>
    public Tensor Weight() => _weight.Value(training);

    /// <summary>The weight as kernels read it.</summary>
    public Tensor Packed(Func<Tensor, Tensor> pack) => _weight.Packed(pack);

    /// <summary>[N, inputs, T] to [N, outputs, rate x T]; one more where kernel and rate differ by an odd number.</summary>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return F.conv_transpose1d(input, Weight(), Bias, stride: Rate, padding: Padding).MoveToOuterDisposeScope();
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
