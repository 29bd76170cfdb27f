using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>Shifts one half of the channels by what a network makes of the other half (arXiv 1605.08803, without scales).</summary>
internal sealed class CouplingLayer : NamedModule
{
    private readonly int _half;

    public CouplingLayer(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(CouplingLayer))
    {
        _half = c.LatentWidth / 2;
        Input = new TimeConvolution(weights.Scope("conv_pre"), _half, c.HiddenWidth, kernel: 1);
        WaveNet = new WaveNet(weights.Scope("wavenet"), c, c.FlowLayers, dropout);
        Output = new TimeConvolution(weights.Scope("conv_post"), c.HiddenWidth, _half, kernel: 1, deviation: 0);
        register_module("conv_pre", Input);
        register_module("wavenet", WaveNet);
        register_module("conv_post", Output);
    }

    public TimeConvolution Input { get; }

    public WaveNet WaveNet { get; }

    public TimeConvolution Output { get; }

    /// <summary>[N, channels, T] to the same shape.</summary>
    /// <param name="input">What is transformed.</param>
    /// <param name="mask">[N, 1, T]: 1 for frames, 0 for padding.</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    /// <param name="isReverse">Whether the shift is taken back.</param>
    public Tensor Forward(Tensor input, Tensor mask, Tensor? speaker, bool isReverse)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (input.narrow(1, 0, _half), input.narrow(1, _half, _half));
        var shift = Output.Forward(WaveNet.Forward(Input.Forward(first) * mask, mask, speaker)) * mask;
        second = isReverse ? (second - shift) * mask : shift + second * mask;
        return cat([first, second], 1).MoveToOuterDisposeScope();
    }
}
