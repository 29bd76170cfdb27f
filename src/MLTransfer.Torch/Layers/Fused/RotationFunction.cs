using System.Numerics.Tensors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Layers.Fused;

/// <summary>
/// Rotary position embedding (arXiv 2104.09864) as one pass over memory, and one backward: the gradient is turned back.
/// </summary>
internal sealed class RotationFunction : FusedFunction<RotationFunction>
{
    /// <summary>Whether it computes these.</summary>
    public static bool Takes(Tensor heads) => TypedRows.IsPossible(heads);

    /// <summary>Turns the first values of each head.</summary>
    /// <param name="heads">[batch, length, heads, head width] float32 or bfloat16.</param>
    /// <param name="cosines">[batch or 1, 1, length, rotated width / 2] float32.</param>
    /// <param name="sines">The same.</param>
    /// <param name="neighbours">Whether pairs are (2 i, 2 i + 1); (i, i + rotated width / 2) otherwise.</param>
    public static Tensor Call(Tensor heads, Tensor cosines, Tensor sines, bool neighbours)
    {
        var (rows, cos, sin) = (heads.contiguous(), cosines.contiguous(), sines.contiguous());
        return is_grad_enabled() && heads.requires_grad
            ? apply(rows, cos, sin, neighbours) : Compute(rows, cos, sin, neighbours, back: false);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (cosines, sines, neighbours) = ((Tensor)arguments[1], (Tensor)arguments[2], (bool)arguments[3]);
        context.save_data(nameof(neighbours), neighbours);
        context.save_for_backward([cosines, sines]);
        return Compute((Tensor)arguments[0], cosines, sines, neighbours, back: false);
    }

    /// <inheritdoc/>
    protected override List<Tensor?> Gradients(autograd.AutogradContext context, IReadOnlyList<Tensor> saved, Tensor gradient) =>
        [Compute(gradient, saved[0], saved[1], (bool)context.get_data("neighbours"), back: true), null, null, null];

    private static Tensor Compute(Tensor heads, Tensor cosines, Tensor sines, bool neighbours, bool back)
    {
        var result = empty(heads.shape, heads.dtype);
        var (source, target, cos, sin) = (new TypedRows(heads), new TypedRows(result), new TypedRows(cosines), new TypedRows(sines));
        var (count, width, pairs) = ((int)heads.shape[2], source.Width, cos.Width);
        var positions = source.Count / count; // rows of a position are those of its heads
        RowBlocks.Run(positions, RowBlocks.RowsFor(count * width), get_num_threads(), (_, start, end) =>
        {
            using var buffer = new RowBuffer(2 * width + pairs);
            for (var position = start; position < end; position++)
            {
                var cosine = cos.Read(position % cos.Count, default);
                var sine = sin.Read(position % cos.Count, default);
                if (back)
                {
                    var negative = buffer.Span[(2 * width)..];
                    TensorPrimitives.Negate(sine, negative);
                    sine = negative;
                }

                for (var row = position * count; row < (position + 1) * count; row++)
                {
                    var read = source.Read(row, buffer.Span[..width]);
                    var turned = target.Begin(row, buffer.Span.Slice(width, width));
                    RowRotation.Turn(read, cosine, sine, neighbours, turned);
                    target.Finish(row, turned);
                }
            }
        });
        GC.KeepAlive(heads);
        GC.KeepAlive(cosines);
        GC.KeepAlive(sines);
        return result;
    }
}
