using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>A shortcut beside two convolutions, the first of which reads around each step.</summary>
internal sealed class ResidualUnit : CodecLayer
{
    private readonly PaddedConvolution _around;
    private readonly PaddedConvolution _within;
    private readonly PaddedConvolution? _shortcut;

    /// <param name="weights">Has <c>block.1</c>, <c>block.3</c> and, where the shortcut has a convolution, <c>shortcut</c>.</param>
    /// <param name="configuration">Of the codec.</param>
    /// <param name="channels">Feature maps of input and output.</param>
    /// <param name="dilation">Steps from a tap of the first convolution to the next.</param>
    public ResidualUnit(WeightScope weights, EnCodecConfiguration configuration, int channels, int dilation)
        : base(nameof(ResidualUnit))
    {
        var inner = channels / configuration.Compression;
        _around = new(weights.Scope("block.1"), configuration, channels, inner, configuration.ResidualKernel, dilation: dilation);
        _within = new(weights.Scope("block.3"), configuration, inner, channels, kernel: 1);
        ModuleNode.Add(this, "block.1", _around);
        ModuleNode.Add(this, "block.3", _within);
        if (configuration.HasShortcutConvolution)
            register_module("shortcut", _shortcut = new(weights.Scope("shortcut"), configuration, channels, channels, kernel: 1));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var residual = _within.Forward(_around.Forward(input.elu()).elu());
        return ((_shortcut?.Forward(input) ?? input) + residual).MoveToOuterDisposeScope();
    }
}
