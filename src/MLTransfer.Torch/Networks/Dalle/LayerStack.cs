using System.Numerics.Tensors;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>The layers of the transformer: one after the other, or reversible pairs over two streams (arXiv 1707.04585).</summary>
internal sealed class LayerStack
{
    private readonly DalleConfiguration _sizes;
    private readonly (LayerPart Attention, LayerPart FeedForward)[] _layers;

    public LayerStack(DalleConfiguration sizes, DalleBuilder builder, Device device)
    {
        _sizes = sizes;
        var tables = new SequenceTables(sizes, builder, device);
        Shift = sizes.ShiftsTokens ? new TokenShift(sizes.Width, sizes.TextPositions, sizes.Side) : null;
        var attentions = new Dictionary<int, SequenceAttention>();
        var feedForwards = new Dictionary<int, GatedFeedForward>();
        _layers = new (LayerPart, LayerPart)[sizes.Depth];
        for (var layer = 0; layer < sizes.Depth; layer++)
        {
            if (sizes.AttentionOwners[layer] == layer)
            {
                attentions[layer] = new SequenceAttention(
                    builder.Names.Function(layer, isAttention: true), sizes, builder, tables.Rotation, tables.MaskOf(sizes.Kinds[layer]));
            }

            if (sizes.FeedForwardOwners[layer] == layer)
                feedForwards[layer] = new GatedFeedForward(builder.Names.Function(layer, isAttention: false), sizes, builder);
            _layers[layer] = (
                new LayerPart(layer, isAttention: true, sizes, builder, Shift, attentions[sizes.AttentionOwners[layer]]),
                new LayerPart(layer, isAttention: false, sizes, builder, Shift, feedForwards[sizes.FeedForwardOwners[layer]]));
        }
    }

    /// <summary>How tokens are shifted; null for not.</summary>
    public TokenShift? Shift { get; }

    /// <summary>[B, T, width] to the same shape.</summary>
    public Tensor Forward(Tensor x, SequencePass pass)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (x.alias(), _sizes.Reversible ? x.alias() : null);
        foreach (var (attention, feedForward) in _layers)
        {
            first = Add(first, second ?? first, attention, pass);
            if (second is null)
                first = Add(first, first, feedForward, pass);
            else
                second = Add(second, first, feedForward, pass);
        }

        return (second is null ? first : (first + second) / 2).MoveToOuterDisposeScope();
    }

    /// <summary>One new code of each row, where it lies: [rows, width].</summary>
    public void Step(Span<float> x, CodeStep step)
    {
        if (!_sizes.Reversible)
        {
            foreach (var (attention, feedForward) in _layers)
            {
                attention.Step(x, x, step);
                feedForward.Step(x, x, step);
            }

            return;
        }

        using var buffer = new RowBuffer(x.Length);
        var second = buffer.Span;
        x.CopyTo(second);
        foreach (var (attention, feedForward) in _layers)
        {
            attention.Step(second, x, step);
            feedForward.Step(x, second, step);
        }

        TensorPrimitives.Add(x, second, x);
        TensorPrimitives.Divide(x, 2, x);
    }

    /// <summary>The stream, which is disposed, and what a part makes of what it reads.</summary>
    private static Tensor Add(Tensor stream, Tensor read, LayerPart part, SequencePass pass)
    {
        using (stream) // autograd keeps what it needs
        using (var added = part.Forward(read, pass))
            return stream + added;
    }
}
