using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers.Fused;

/// <summary>
/// activation(gate) * value (arXiv 2002.05202) as one pass over memory forward and one backward; what the activation gave is not kept.
/// </summary>
internal sealed class GateFunction : FusedFunction<GateFunction>
{
    /// <summary>Whether it computes these.</summary>
    public static bool Takes(Tensor gate, Tensor value, Activation activation) =>
        GatedRows.Has(activation) && gate.dtype == value.dtype && TypedRows.IsPossible(gate);

    /// <param name="gate">[..., width] float32 or bfloat16.</param>
    /// <param name="value">The same.</param>
    /// <param name="activation">Applied to the gate.</param>
    public static Tensor Call(Tensor gate, Tensor value, Activation activation)
    {
        var (gates, values) = (gate.contiguous(), value.contiguous());
        return is_grad_enabled() && (gate.requires_grad || value.requires_grad)
            ? apply(gates, values, activation) : Compute(gates, values, activation);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (gate, value, activation) = ((Tensor)arguments[0], (Tensor)arguments[1], (Activation)arguments[2]);
        context.save_data(nameof(activation), activation);
        context.save_for_backward([gate, value]);
        return Compute(gate, value, activation);
    }

    /// <inheritdoc/>
    protected override List<Tensor?> Gradients(autograd.AutogradContext context, IReadOnlyList<Tensor> saved, Tensor gradient)
    {
        var (gate, value) = (saved[0], saved[1]);
        var (ofGate, ofValue) = (empty_like(gate), empty_like(value));
        var (gates, values, above) = (new TypedRows(gate), new TypedRows(value), new TypedRows(gradient));
        var (gateTarget, valueTarget) = (new TypedRows(ofGate), new TypedRows(ofValue));
        var (width, activation) = (gates.Width, (Activation)context.get_data("activation"));
        RowBlocks.Run(gates.Count, RowBlocks.RowsFor(width), get_num_threads(), (_, start, end) =>
        {
            using var buffer = new RowBuffer(5 * width);
            for (var row = start; row < end; row++)
            {
                var first = gateTarget.Begin(row, buffer.Span.Slice(3 * width, width));
                var second = valueTarget.Begin(row, buffer.Span[(4 * width)..]);
                GatedRows.Gradients(
                    gates.Read(row, buffer.Span[..width]), values.Read(row, buffer.Span.Slice(width, width)),
                    above.Read(row, buffer.Span.Slice(2 * width, width)), activation, first, second);
                gateTarget.Finish(row, first);
                valueTarget.Finish(row, second);
            }
        });
        return [ofGate, ofValue, null];
    }

    private static Tensor Compute(Tensor gate, Tensor value, Activation activation)
    {
        var result = empty_like(gate);
        var (gates, values, target) = (new TypedRows(gate), new TypedRows(value), new TypedRows(result));
        var width = gates.Width;
        RowBlocks.Run(gates.Count, RowBlocks.RowsFor(width), get_num_threads(), (_, start, end) =>
        {
            using var buffer = new RowBuffer(3 * width);
            for (var row = start; row < end; row++)
            {
                var computed = target.Begin(row, buffer.Span[(2 * width)..]);
                GatedRows.Compute(
                    gates.Read(row, buffer.Span[..width]), values.Read(row, buffer.Span.Slice(width, width)), activation, computed);
                target.Finish(row, computed);
            }
        });
        GC.KeepAlive(gate);
        GC.KeepAlive(value);
        return result;
    }
}
