using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>The position-wise layers of a block.</summary>
internal sealed class FeedForwardModule : ISublayerModule
{
    private readonly FeedForward _feed;
    private readonly Linear[] _inputs;
    private readonly Normalization? _innerNorm;
    private readonly Linear _output;

    public FeedForwardModule(FeedForward feed, ModuleBuilder modules, int width)
    {
        _feed = feed;
        var outputs = feed.Gating == Gating.Rows ? 2 * feed.Inner : feed.Inner;
        _inputs = [.. feed.Inputs.Select(input => modules.Linear(input, width, outputs))];
        _innerNorm = modules.Normalization(feed.InnerNorm, feed.Inner);
        _output = modules.Linear(feed.Output, feed.Inner, width);
    }

    /// <summary>[B, T, width] to the same shape.</summary>
    public Tensor Forward(Tensor x, Pass pass)
    {
        using var scope = NewDisposeScope();
        var inner = Inner(x);                                                              // [B, T, inner]
        if (_innerNorm is not null)
            inner = _innerNorm.call(inner);
        inner = pass.Draws.Apply(inner, pass.Dropout.Inner, pass.Training);
        return _output.call(inner).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Step(ReadOnlySpan<float> input, Span<float> output, StepPass pass, bool accumulate)
    {
        var rows = pass.Rows;
        using var buffer = new RowBuffer(rows * _feed.Inner);
        var inner = buffer.Span;
        if (_feed.Gating == Gating.None)
            _inputs[0].Apply(input, inner, pass.Step, _feed.Activation);
        else
            StepGated(input, new RowSlices(inner, rows, 1, _feed.Inner), pass);
        _innerNorm?.Apply(inner, inner);
        _output.Apply(inner, output, pass.Step, accumulate: accumulate);
    }

    private void StepGated(ReadOnlySpan<float> input, RowSlices inner, StepPass pass)
    {
        var (rows, width) = (pass.Rows, _feed.Inner);
        using var buffer = new RowBuffer(2 * rows * width);
        if (_feed.Gating == Gating.Rows)
        {
            _inputs[0].Apply(input, buffer.Span, pass.Step);
            RowActivations.Gate(
                RowSlices.Within(buffer.Span, rows, 0, 1, width), RowSlices.Within(buffer.Span, rows, width, 1, width), _feed.Activation,
                    inner);
            return;
        }

        var gates = buffer.Span[..(rows * width)];
        var values = buffer.Span[(rows * width)..];
        _inputs[0].Apply(input, gates, pass.Step);
        _inputs[1].Apply(input, values, pass.Step);
        RowActivations.Gate(new RowSlices(gates, rows, 1, width), new RowSlices(values, rows, 1, width), _feed.Activation, inner);
    }

    private Tensor Inner(Tensor x)
    {
        switch (_feed.Gating)
        {
            case Gating.None:
                return Activate(_inputs[0].call(x));
            case Gating.Apart:
                return Activate(_inputs[0].call(x)) * _inputs[1].call(x);
            default:
                var both = _inputs[0].call(x);
                return Activate(both.narrow(-1, 0, _feed.Inner)) * both.narrow(-1, _feed.Inner, _feed.Inner);
        }
    }

    private Tensor Activate(Tensor x) => ActivationFunction.Apply(_feed.Activation, x);
}
