using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>A transposed convolution that doubles a picture: [B, input, H, W] to [B, output, 2 H, 2 W].</summary>
internal sealed class DoublingConvolution : NamedModule
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;

    /// <param name="weights">Has <c>weight</c>, [input, output, 4, 4], and <c>bias</c>.</param>
    /// <param name="input">Feature maps of the input.</param>
    /// <param name="output">Feature maps of the output.</param>
    public DoublingConvolution(WeightScope weights, int input, int output)
        : base(nameof(DoublingConvolution))
    {
        var deviation = Math.Sqrt(2.0 / (4L * input)); // four places of the kernel reach a pixel
        _weight = weights.Take("weight", Initialization.Normal(deviation), input, output, 4, 4);
        _bias = weights.Take("bias", Initialization.Zeros, output);
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
    }

    public Tensor Forward(Tensor input) => F.conv_transpose2d(input, _weight, _bias, strides: [2, 2], padding: [1, 1]);
}
