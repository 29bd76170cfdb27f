using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>
/// A linear layer with an equalized learning rate (arXiv 1710.10196, section 4.1): weights are stored with unit variance and scaled at run
/// time.
/// </summary>
internal sealed class EqualizedLinear : NamedModule
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly double _weightGain;
    private readonly double _biasGain;

    /// <param name="weights">Has <c>weight</c> [output, input] and <c>bias</c> [output].</param>
    /// <param name="inputWidth">The last dimension of the input.</param>
    /// <param name="outputWidth">The last dimension of the output.</param>
    /// <param name="activates">Whether a leaky ReLU follows, with gain sqrt 2.</param>
    /// <param name="learningRateMultiplier">How much slower the layer learns.</param>
    /// <param name="initialBias">What biases start at.</param>
    public EqualizedLinear(
        WeightScope weights, int inputWidth, int outputWidth, bool activates = false, double learningRateMultiplier = 1,
        double initialBias = 0)
        : base(nameof(EqualizedLinear))
    {
        Activates = activates;
        _weight = weights.Take("weight", Initialization.Normal(1 / learningRateMultiplier), outputWidth, inputWidth);
        _bias = weights.Take("bias", Initialization.Of(initialBias), outputWidth);
        var gain = activates ? LeakyRelu.Gain : 1;
        _weightGain = gain * learningRateMultiplier / Math.Sqrt(inputWidth);
        _biasGain = gain * learningRateMultiplier;
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
    }

    private bool Activates { get; }

    /// <summary>[N, input] to [N, output].</summary>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var output = F.linear(input, _weight * _weightGain, _biasGain == 1 ? _bias : _bias * _biasGain);
        return (Activates ? LeakyRelu.Apply(output) : output).MoveToOuterDisposeScope();
    }
}
