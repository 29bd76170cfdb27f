using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Operators that arrange elements, and those that compute with shapes.</summary>
internal static class ShapeOperators
{
    public static IReadOnlyDictionary<string, Operator> All { get; } = new Dictionary<string, Operator>
    {
        ["Flatten"] = Flatten,
        ["Reshape"] = Reshape,
        ["Transpose"] = Transpose,
        ["Concat"] = (node, inputs) => [cat([.. inputs.Select((_, i) => inputs.Required(node, i))], node.Integer("axis", 0))],
        ["Split"] = Split,
        ["Slice"] = Slice,
        ["Squeeze"] = Squeeze,
        ["Unsqueeze"] = Unsqueeze,
        ["Expand"] = Expand,
        ["Shape"] = Shape,
        ["Gather"] = Gather,
        ["Constant"] = Constant,
        ["ConstantOfShape"] = ConstantOfShape,
    };

    private static Tensor[] Flatten(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var axis = (int)node.Integer("axis", 1);
        axis = axis < 0 ? axis + (int)x.dim() : axis;
        return [x.reshape(x.shape[..axis].Aggregate(1L, (product, extent) => product * extent), -1)];
    }

    private static Tensor[] Reshape(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var shape = node.Values(inputs.Required(node, 1));
        if (node.Integer("allowzero", 0) == 0)
            shape = [.. shape.Select((extent, i) => extent == 0 && i < x.dim() ? x.shape[i] : extent)];
        return [x.reshape(shape).alias()];
    }

    private static Tensor[] Transpose(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        return [x.permute(node.Integers("perm") ?? [.. Enumerable.Range(0, (int)x.dim()).Reverse().Select(i => (long)i)])];
    }

    private static Tensor[] Split(OnnxNode node, Tensor?[] inputs)
    {
        var (x, axis) = (inputs.Required(node, 0), node.Integer("axis", 0));
        var sizes = node.Opset >= 13
            ? inputs.ElementAtOrDefault(1) is { } tensor ? node.Values(tensor) : null
            : node.Integers("split");
        var extent = x.shape[axis < 0 ? axis + x.dim() : axis];
        var size = (extent + node.Outputs.Count - 1) / node.Outputs.Count;
        sizes ??= [.. Enumerable.Range(0, node.Outputs.Count).Select(i => Math.Clamp(extent - i * size, 0, size))];
        return x.split(sizes, axis);
    }

    private static Tensor[] Slice(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var (starts, ends, axes, steps) = node.Opset < 10
            ? (node.Integers("starts")!, node.Integers("ends")!, node.Integers("axes"), null)
            : (node.Values(inputs.Required(node, 1)), node.Values(inputs.Required(node, 2)), Optional(3), Optional(4));
        axes ??= [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        var result = x.alias();
        for (var i = 0; i < starts.Length; i++)
        {
            var axis = axes[i] < 0 ? axes[i] + x.dim() : axes[i];
            var (extent, step) = (x.shape[axis], steps?[i] ?? 1);
            if (step < 1)
                throw node.Unsupported("a slice that goes backwards");
            // Ends beyond the last element are common: the largest number means "to the end".
            var start = Math.Clamp(starts[i] < 0 ? starts[i] + extent : starts[i], 0, extent);
            var end = Math.Clamp(ends[i] < 0 ? ends[i] + extent : ends[i], start, extent);
            result = result.slice(axis, start, end, step);
        }

        return [result];

        long[]? Optional(int index) => inputs.ElementAtOrDefault(index) is { } tensor ? node.Values(tensor) : null;
    }

    private static Tensor[] Squeeze(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var axes = Axes(node, inputs) ?? [.. Enumerable.Range(0, (int)x.dim()).Where(i => x.shape[i] == 1).Select(i => (long)i)];
        var dropped = axes.Select(axis => axis < 0 ? axis + x.dim() : axis).ToHashSet();
        if (dropped.Any(axis => axis >= x.dim() || x.shape[axis] != 1))
            throw node.Invalid($"it drops a dimension of [{string.Join(", ", x.shape)}] that is not 1");
        return [x.reshape([.. x.shape.Where((_, i) => !dropped.Contains(i))]).alias()];
    }

    private static Tensor[] Unsqueeze(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var axes = Axes(node, inputs) ?? throw node.Invalid("it has no axes");
        var rank = x.dim() + axes.Length;
        var added = axes.Select(axis => axis < 0 ? axis + rank : axis).ToHashSet();
        var old = new Queue<long>(x.shape);
        return [x.reshape([.. Enumerable.Range(0, (int)rank).Select(i => added.Contains(i) ? 1 : old.Dequeue())]).alias()];
    }

    private static Tensor[] Expand(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var wanted = node.Values(inputs.Required(node, 1));
        return [broadcast_tensors(x, zeros(wanted, x.dtype))[0].alias()];
    }

    private static Tensor[] Shape(OnnxNode node, Tensor?[] inputs)
    {
        var shape = inputs.Required(node, 0).shape;
        var (start, end) = (Place(node.Integer("start", 0)), Place(node.Integer("end", shape.Length)));
        return [tensor(start < end ? shape[start..end] : [])];

        int Place(long position) => (int)Math.Clamp(position < 0 ? position + shape.Length : position, 0, shape.Length);
    }

    private static Tensor[] Gather(OnnxNode node, Tensor?[] inputs)
    {
        var (x, indices, axis) = (inputs.Required(node, 0), inputs.Required(node, 1), node.Integer("axis", 0));
        axis = axis < 0 ? axis + x.dim() : axis;
        var places = node.Values(indices).Select(index => index < 0 ? index + x.shape[axis] : index).ToArray();
        return [x.index_select(axis, tensor(places)).reshape([.. x.shape[..(int)axis], .. indices.shape, .. x.shape[(int)(axis + 1)..]])];
    }

    private static Tensor[] Constant(OnnxNode node, Tensor?[] inputs)
    {
        if (node.Tensor("value") is { } value)
            return [OnnxTensor.Read(value, node.Place)];
        if (node.Has("value_float"))
            return [tensor((float)node.Number("value_float", 0))];
        if (node.Has("value_int"))
            return [tensor(node.Integer("value_int", 0))];
        return node.Integers("value_ints") is { Length: > 0 } values ? [tensor(values)] : throw node.Unsupported("a constant of this kind");
    }

    private static Tensor[] ConstantOfShape(OnnxNode node, Tensor?[] inputs)
    {
        var shape = node.Values(inputs.Required(node, 0));
        if (node.Tensor("value") is not { } proto)
            return [zeros(shape)];
        using var value = OnnxTensor.Read(proto, node.Place);
        return [value.reshape([]).expand(shape).clone()];
    }

    private static long[]? Axes(OnnxNode node, Tensor?[] inputs) => node.Opset >= 13
        ? inputs.ElementAtOrDefault(1) is { } tensor ? node.Values(tensor) : null
        : node.Integers("axes");
}
