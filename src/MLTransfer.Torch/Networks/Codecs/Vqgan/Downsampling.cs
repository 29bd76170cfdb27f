using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>Halves height and width: by a convolution that sees a line of zeros to the right and below, or by means of four.</summary>
internal sealed class Downsampling : nn.Module<Tensor, Tensor>
{
    private readonly ImageConvolution? _convolution;

    public Downsampling(WeightScope weights, int channels, bool byConvolution)
        : base(nameof(Downsampling))
    {
        if (byConvolution)
            register_module("conv", _convolution = new(weights.Scope("conv"), channels, channels, kernel: 3, stride: 2));
    }

    public override Tensor forward(Tensor x)
    {
        if (_convolution is null)
            return F.avg_pool2d(x, 2, 2);
        using var padded = F.pad(x, (0, 1, 0, 1));
        return _convolution.call(padded);
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
