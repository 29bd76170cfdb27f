using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>A shortcut beside two convolutions, the first of which reads around each step.</summary>
internal sealed unsafe class ResidualUnit : CodecLayer
{
    private readonly PaddedConvolution _around;
    private readonly PaddedConvolution _within;
    private readonly PaddedConvolution? _shortcut;

    /// <param name="weights">Has <c>block.1</c>, <c>block.3</c> and, where the shortcut has a convolution, <c>shortcut</c>.</param>
    /// <param name="c">Of the codec.</param>
    /// <param name="channels">Feature maps of input and output.</param>
    /// <param name="dilation">Steps from a tap of the first convolution to the next.</param>
    public ResidualUnit(WeightScope weights, EnCodecConfiguration c, int channels, int dilation)
        : base(nameof(ResidualUnit))
    {
        var inner = channels / c.Compression;
        _around = new(weights.Scope("block.1"), c, channels, inner, c.ResidualKernel, activates: true, dilation: dilation);
        _within = new(weights.Scope("block.3"), c, inner, channels, kernel: 1, activates: true);
        ModuleNode.Add(this, "block.1", _around);
        ModuleNode.Add(this, "block.3", _within);
        if (c.HasShortcutConvolution)
            register_module("shortcut", _shortcut = new(weights.Scope("shortcut"), c, channels, channels, kernel: 1, activates: false));
    }

    /// <inheritdoc/>
    public override int OutputChannels => _within.OutputChannels;

    /// <inheritdoc/>
    public override int StepsOf(int steps) => steps;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return ((_shortcut?.Forward(input) ?? input) + _within.Forward(_around.Forward(input))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override RowDemand Demand(int steps) => _around.Demand(steps) with { Plain = true };

    /// <inheritdoc/>
    public override void Run(RowForms input, RowForms output)
    {
        using var scope = NewDisposeScope();
        using var inner = new RowForms(input.Pool, input.Steps, _around.OutputChannels, _within.Demand(input.Steps), default);
        _around.Run(input, inner);
        Span<RowConvolution.Part> parts = stackalloc RowConvolution.Part[_shortcut is null ? 1 : 2];
        var packed = _within.WriteParts(inner.Activated!, parts[..1]);
        var packedShortcut = _shortcut?.WriteParts(input.Plain!, parts[1..]);
        RowConvolution.Compute(
            parts, output.Steps, _shortcut is null ? _within.Bias : _within.Bias + _shortcut.Bias,
            _shortcut is null ? input.PlainAt(0) : null, output.PlainAt(0), output.ActivatedAt(0));
        GC.KeepAlive(packed);
        GC.KeepAlive(packedShortcut);
    }
}
