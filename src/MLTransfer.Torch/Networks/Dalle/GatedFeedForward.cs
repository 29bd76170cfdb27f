using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>The position-wise layers: one half times the GELU of the other (arXiv 2002.05202), of four times the width.</summary>
internal sealed class GatedFeedForward : ILayerFunction
{
    /// <summary>By how much the layer is wider inside.</summary>
    public const int Multiple = 4;

    private readonly int _inner;
    private readonly double _dropout;
    private readonly Linear _inputs;
    private readonly Linear _output;
    private readonly DropoutSource _draws;

    public GatedFeedForward(string name, DalleConfiguration sizes, DalleBuilder builder)
    {
        (_inner, _dropout, _draws) = (Multiple * sizes.Width, sizes.FeedForwardDropout, builder.Draws);
        _inputs = builder.Linear($"{name}.net.0", sizes.Width, 2 * _inner);
        _output = builder.Linear($"{name}.net.3", _inner, sizes.Width);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, int layer, SequencePass pass)
    {
        using var scope = NewDisposeScope();
        var both = _inputs.call(x);                                                          // [B, T, 2 inner]
        var inner = both.narrow(2, 0, _inner) * F.gelu(both.narrow(2, _inner, _inner));
        return _output.call(_draws.Apply(inner, _dropout, pass.Training)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Step(ReadOnlySpan<float> input, Span<float> output, int layer, CodeStep step)
    {
        var rows = step.Rows.Rows;
        using var both = new RowBuffer(rows * 2 * _inner);
        using var inner = new RowBuffer(rows * _inner);
        _inputs.Apply(input, both.Span, step.Rows);
        RowActivations.Gate(
            RowSlices.Within(both.Span, rows, _inner, 1, _inner), RowSlices.Within(both.Span, rows, 0, 1, _inner), Activation.Gelu,
            new RowSlices(inner.Span, rows, 1, _inner));
        _output.Apply(inner.Span, output, step.Rows);
    }
}
