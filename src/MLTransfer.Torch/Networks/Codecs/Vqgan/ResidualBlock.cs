using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>x + conv2(swish(norm2(conv1(swish(norm1(x)))))), x through a convolution of one pixel where the number of feature maps
/// changes.</summary>
internal sealed class ResidualBlock : nn.Module<Tensor, Tensor>
{
    private readonly GroupNormalization _norm1;
    private readonly ImageConvolution _conv1;
    private readonly GroupNormalization _norm2;
    private readonly ImageConvolution _conv2;
    private readonly ImageConvolution? _shortcut;

    public ResidualBlock(WeightScope weights, VqganConfiguration configuration, int inputs, int outputs)
        : base(nameof(ResidualBlock))
    {
        register_module("norm1", _norm1 = new(weights.Scope("norm1"), inputs, configuration.Epsilon));
        register_module("conv1", _conv1 = new(weights.Scope("conv1"), inputs, outputs, kernel: 3, padding: 1));
        register_module("norm2", _norm2 = new(weights.Scope("norm2"), outputs, configuration.Epsilon));
        register_module("conv2", _conv2 = new(weights.Scope("conv2"), outputs, outputs, kernel: 3, padding: 1));
        if (inputs != outputs)
            register_module("nin_shortcut", _shortcut = new(weights.Scope("nin_shortcut"), inputs, outputs, kernel: 1));
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var inner = _conv1.call(F.silu(_norm1.call(x)));
        inner = _conv2.call(F.silu(_norm2.call(inner)));
        return ((_shortcut?.call(x) ?? x) + inner).MoveToOuterDisposeScope();
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
