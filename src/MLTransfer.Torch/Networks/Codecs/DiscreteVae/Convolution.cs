using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>A convolution over a picture: [B, input, H, W] to [B, output, H, W], smaller by the stride.</summary>
internal sealed class Convolution : NamedModule
{
    private readonly int _stride;
    private readonly int _padding;

    /// <param name="weights">Has the weight, [output, input, kernel, kernel], and the bias.</param>
    /// <param name="names">What weight and bias are called.</param>
    /// <param name="input">Feature maps of the input.</param>
    /// <param name="output">Feature maps of the output.</param>
    /// <param name="kernel">Pixels along its side.</param>
    /// <param name="gain">By how much a new weight's outputs deviate more than inputs.</param>
    /// <param name="stride">Pixels from a place of the kernel to the next.</param>
    public Convolution(
        WeightScope weights, (string Weight, string Bias) names, int input, int output, int kernel, double gain, int stride = 1)
        : base(nameof(Convolution))
    {
        (_stride, _padding) = (stride, (kernel - stride + 1) / 2);
        var deviation = gain / Math.Sqrt((double)input * kernel * kernel);
        Weight = weights.Take(names.Weight, Initialization.Normal(deviation), output, input, kernel, kernel);
        Bias = weights.Take(names.Bias, Initialization.Zeros, output);
        register_parameter(names.Weight, Weight);
        register_parameter(names.Bias, Bias);
    }

    public Parameter Weight { get; }

    public Parameter Bias { get; }

    public Tensor Forward(Tensor input) => F.conv2d(input, Weight, Bias, strides: [_stride, _stride], padding: [_padding, _padding]);

    /// <summary>What a convolution of one pixel makes of one-hot inputs: [B, H, W] numbers of input maps to [B, output, H, W].</summary>
    public Tensor Look(Tensor places)
    {
        using var scope = NewDisposeScope();
        var columns = Weight.flatten(1).t(); // [input, output]
        return (columns.index_select(0, places.flatten()).view([.. places.shape, -1]) + Bias)
            .permute(0, 3, 1, 2).contiguous().MoveToOuterDisposeScope();
    }
}
