using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Means and sums over dimensions.</summary>
internal static class ReductionOperators
{
    public static IReadOnlyDictionary<string, Operator> All { get; } = new Dictionary<string, Operator>
    {
        ["ReduceMean"] = (node, inputs) => [Reduce(node, inputs, axesInputSince: 18, (x, axes, keep) => x.mean(axes, keep))],
        ["ReduceSum"] = (node, inputs) => [Reduce(node, inputs, axesInputSince: 13, (x, axes, keep) => x.sum(axes, keep))],
        ["ReduceMax"] = (node, inputs) => [Reduce(node, inputs, axesInputSince: 18, (x, axes, keep) => x.amax(axes, keep))],
    };

    private static Tensor Reduce(OnnxNode node, Tensor?[] inputs, int axesInputSince, Func<Tensor, long[], bool, Tensor> compute)
    {
        var x = inputs.Required(node, 0);
        var axes = node.Opset >= axesInputSince
            ? inputs.ElementAtOrDefault(1) is { } tensor ? node.Values(tensor) : null
            : node.Integers("axes");
        if (axes is null or [])
        {
            if (node.Integer("noop_with_empty_axes", 0) != 0)
                return x.alias();
            axes = [.. Enumerable.Range(0, (int)x.dim()).Select(i => (long)i)];
        }

        return compute(x, axes, node.Integer("keepdims", 1) != 0);
    }
}
