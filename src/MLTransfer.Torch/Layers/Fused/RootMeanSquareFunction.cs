using System.Numerics;
using System.Numerics.Tensors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Layers.Fused;

/// <summary>
/// Root mean square normalization, x / sqrt(mean of squares + epsilon) * w (arXiv 1910.07467), as one pass over memory forward and one
/// backward, where libtorch's operations take six and about fifteen.
/// </summary>
internal sealed class RootMeanSquareFunction : FusedFunction<RootMeanSquareFunction>
{
    /// <summary>Whether it computes these.</summary>
    public static bool Takes(Tensor x, Tensor? weight) =>
        TypedRows.IsPossible(x) && weight is null or { dtype: ScalarType.Float32, device_type: TorchSharp.DeviceType.CPU };

    /// <summary>The normalized rows, in the type that is asked for.</summary>
    /// <param name="x">[..., width] float32 or bfloat16.</param>
    /// <param name="weight">[width] float32; null for ones.</param>
    /// <param name="onePlus">Whether w is 1 + weight.</param>
    /// <param name="epsilon">Added to the mean of squares.</param>
    /// <param name="type">The type of the result: float32 or bfloat16.</param>
    public static Tensor Call(Tensor x, Tensor? weight, bool onePlus, double epsilon, ScalarType type)
    {
        var rows = x.contiguous();
        if (!is_grad_enabled() || !(x.requires_grad || weight?.requires_grad == true))
            return Compute(rows, weight, onePlus, (float)epsilon, type, out _);
        return weight is null ? apply(rows, onePlus, (float)epsilon, type) : apply(rows, onePlus, (float)epsilon, type, weight);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (x, onePlus) = ((Tensor)arguments[0], (bool)arguments[1]);
        var weight = arguments.Length > 4 ? (Tensor)arguments[4] : null;
        var result = Compute(x, weight, onePlus, (float)arguments[2], (ScalarType)arguments[3], out var factors);
        context.save_data(nameof(onePlus), onePlus);
        context.save_data(nameof(factors), factors);
        context.save_for_backward(weight is null ? [x] : [x, weight]);
        return result;
    }

    /// <inheritdoc/>
    protected override List<Tensor?> Gradients(autograd.AutogradContext context, IReadOnlyList<Tensor> saved, Tensor gradient)
    {
        var weight = saved.Count > 1 ? saved[1] : null;
        var (input, weights) = Gradients(
            saved[0], (float[])context.get_data("factors"), weight, (bool)context.get_data("onePlus"), gradient);
        return weights is null ? [input, null, null, null] : [input, null, null, null, weights];
    }

    /// <param name="x">[..., width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="onePlus">Whether w is 1 + weight.</param>
    /// <param name="epsilon">Added to the mean of squares.</param>
    /// <param name="type">The result's.</param>
    /// <param name="factors">1 / sqrt(mean of squares + epsilon) of each row.</param>
    private static Tensor Compute(Tensor x, Tensor? weight, bool onePlus, float epsilon, ScalarType type, out float[] factors)
    {
        var result = empty(x.shape, type);
        var (source, target) = (new TypedRows(x), new TypedRows(result));
        var multipliers = Multipliers(weight, onePlus, source.Width);
        var found = factors = new float[source.Count];
        RowBlocks.Run(source.Count, RowBlocks.RowsFor(source.Width), get_num_threads(), (_, start, end) =>
        {
            using var buffer = new RowBuffer(2 * source.Width);
            for (var row = start; row < end; row++)
            {
                var values = source.Read(row, buffer.Span[..source.Width]);
                found[row] = 1 / MathF.Sqrt(Dot(values, values) / values.Length + epsilon);
                var computed = target.Begin(row, buffer.Span[source.Width..]);
                Scale(values, found[row], multipliers, computed);
                target.Finish(row, computed);
            }
        });
        GC.KeepAlive(x);
        return result;
    }

    private static (Tensor Input, Tensor? Weight) Gradients(Tensor x, float[] factors, Tensor? weight, bool onePlus, Tensor gradient)
    {
        var input = empty(x.shape, x.dtype);
        var (values, gradients, target) = (new TypedRows(x), new TypedRows(gradient), new TypedRows(input));
        var (width, rowsOfBlock) = (values.Width, RowBlocks.RowsFor(values.Width));
        var multipliers = Multipliers(weight, onePlus, width);
        var sums = weight is null ? null : new float[RowBlocks.Count(values.Count, rowsOfBlock)][];
        RowBlocks.Run(values.Count, rowsOfBlock, get_num_threads(), (block, start, end) =>
        {
            using var buffer = new RowBuffer(3 * width);
            var sum = sums is null ? null : sums[block] = new float[width];
            for (var row = start; row < end; row++)
            {
                var value = values.Read(row, buffer.Span[..width]);
                var above = gradients.Read(row, buffer.Span.Slice(width, width));
                var computed = target.Begin(row, buffer.Span[(2 * width)..]);
                Back(value, above, multipliers, factors[row], computed, sum);
                target.Finish(row, computed);
            }
        });
        GC.KeepAlive(x);
        if (sums is null)
            return (input, null);
        for (var block = 1; block < sums.Length; block++) // always in this order, whatever thread made which part
            Add(sums[block], sums[0]);
        return (input, tensor(sums[0]));
    }

    /// <summary>w, or nothing for ones.</summary>
    private static float[] Multipliers(Tensor? weight, bool onePlus, int width)
    {
        if (weight is null)
            return [];
        var multipliers = NativeTensor.AsSpan<float>(weight)[..width].ToArray();
        if (onePlus)
        {
            for (var i = 0; i < width; i++)
                multipliers[i]++;
        }

        return multipliers;
    }

    private static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var sum = Vector<float>.Zero;
        var i = 0;
        for (; i <= left.Length - Vector<float>.Count; i += Vector<float>.Count)
            sum += new Vector<float>(left[i..]) * new Vector<float>(right[i..]);
        var total = Vector.Sum(sum);
        for (; i < left.Length; i++)
            total += left[i] * right[i];
        return total;
    }

    private static void Scale(ReadOnlySpan<float> values, float factor, ReadOnlySpan<float> multipliers, Span<float> target)
    {
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = new Vector<float>(values[i..]) * factor;
            (multipliers.IsEmpty ? value : value * new Vector<float>(multipliers[i..])).CopyTo(target[i..]);
        }

        for (; i < values.Length; i++)
            target[i] = multipliers.IsEmpty ? values[i] * factor : values[i] * factor * multipliers[i];
    }

    /// <summary>With r = factor, n = x r: the gradient of x is r (g w - n mean(g w n)), and that of w is g n.</summary>
    private static void Back(
        ReadOnlySpan<float> values, ReadOnlySpan<float> above, ReadOnlySpan<float> multipliers, float factor, Span<float> target,
        Span<float> sum)
    {
        Span<float> scaled = target; // g w, until it is replaced
        if (multipliers.IsEmpty)
            above.CopyTo(scaled);
        else
            TensorPrimitives.Multiply(above, multipliers, scaled);
        var mean = Dot(scaled, values) * factor / values.Length;
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var normalized = new Vector<float>(values[i..]) * factor;
            ((new Vector<float>(scaled[i..]) - normalized * mean) * factor).CopyTo(target[i..]);
            if (!sum.IsEmpty)
                (new Vector<float>(sum[i..]) + new Vector<float>(above[i..]) * normalized).CopyTo(sum[i..]);
        }

        for (; i < values.Length; i++)
        {
            var normalized = values[i] * factor;
            target[i] = (scaled[i] - normalized * mean) * factor;
            if (!sum.IsEmpty)
                sum[i] += above[i] * normalized;
        }
    }

    private static void Add(ReadOnlySpan<float> addend, Span<float> sum) =>
        TensorPrimitives.Add(sum, addend, sum);
}
