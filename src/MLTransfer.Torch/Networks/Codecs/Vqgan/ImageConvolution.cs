using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>A convolution over height and width, with a bias: [B, inputs, H, W] to [B, outputs, H', W'].</summary>
internal sealed class ImageConvolution : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly int _stride;
    private readonly int _padding;

    /// <param name="weights">Has <c>weight</c> [outputs, inputs, kernel, kernel] and <c>bias</c> [outputs].</param>
    /// <param name="inputs">Feature maps that come in.</param>
    /// <param name="outputs">Feature maps that go out.</param>
    /// <param name="kernel">The window's side.</param>
    /// <param name="stride">Pixels from a window to the next.</param>
    /// <param name="padding">Zeros at each border.</param>
    public ImageConvolution(WeightScope weights, int inputs, int outputs, int kernel, int stride = 1, int padding = 0)
        : base(nameof(ImageConvolution))
    {
        (_stride, _padding) = (stride, padding);
        var initialization = Initialization.Normal(1 / Math.Sqrt(3.0 * inputs * kernel * kernel)); // the variance of PyTorch's own
        register_parameter("weight", _weight = weights.Take("weight", initialization, outputs, inputs, kernel, kernel));
        register_parameter("bias", _bias = weights.Take("bias", Initialization.Zeros, outputs));
    }

    public override Tensor forward(Tensor input) =>
        F.conv2d(input, _weight, _bias, strides: [_stride, _stride], padding: [_padding, _padding]);

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
