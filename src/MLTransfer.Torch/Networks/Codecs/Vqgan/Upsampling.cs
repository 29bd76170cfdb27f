using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>Doubles height and width: each pixel becomes four, perhaps with a convolution behind.</summary>
internal sealed class Upsampling : nn.Module<Tensor, Tensor>
{
    private readonly ImageConvolution? _convolution;

    public Upsampling(WeightScope weights, int channels, bool byConvolution)
        : base(nameof(Upsampling))
    {
        if (byConvolution)
            register_module("conv", _convolution = new(weights.Scope("conv"), channels, channels, kernel: 3, padding: 1));
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        var doubled = x.view(batch, channels, height, 1, width, 1).expand(batch, channels, height, 2, width, 2)
            .reshape(batch, channels, 2 * height, 2 * width);
        return (_convolution?.call(doubled) ?? doubled).MoveToOuterDisposeScope();
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
