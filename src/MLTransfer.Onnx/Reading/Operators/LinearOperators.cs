using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Matrix products and convolutions.</summary>
internal static class LinearOperators
{
    public static IReadOnlyDictionary<string, Operator> All { get; } = new Dictionary<string, Operator>
    {
        ["Gemm"] = Gemm,
        ["MatMul"] = (node, inputs) => [Product(node, inputs.Required(node, 0), inputs.Required(node, 1))],
        ["Conv"] = Convolution,
        ["ConvTranspose"] = TransposedConvolution,
    };

    private static Tensor[] Gemm(OnnxNode node, Tensor?[] inputs)
    {
        var a = node.Integer("transA", 0) != 0 ? inputs.Required(node, 0).t() : inputs.Required(node, 0);
        var b = node.Integer("transB", 0) != 0 ? inputs.Required(node, 1).t() : inputs.Required(node, 1);
        var product = Product(node, a, b);
        if (node.Number("alpha", 1) is var alpha and not 1)
            product = product * alpha;
        if (inputs.ElementAtOrDefault(2) is not { } c)
            return [product];
        return [product + (node.Number("beta", 1) is var beta and not 1 ? c * beta : c)];
    }

    // TorchSharp's product is the one operation here whose error would end the process instead of becoming an exception.
    private static Tensor Product(OnnxNode node, Tensor a, Tensor b)
    {
        var (left, right) = (a.shape, b.shape);
        var fits = left.Length > 0 && right.Length > 0 && a.dtype == b.dtype && left[^1] == right[Math.Max(0, right.Length - 2)];
        for (var i = 3; fits && i <= Math.Min(left.Length, right.Length); i++)
            fits = left[^i] == right[^i] || left[^i] == 1 || right[^i] == 1;
        return fits ? matmul(a, b) : throw new InvalidOperationException(
            $"{node.Place}: there is no product of {a.dtype} [{string.Join(", ", left)}] and {b.dtype} [{string.Join(", ", right)}]");
    }

    private static Tensor[] Convolution(OnnxNode node, Tensor?[] inputs)
    {
        var (x, weight, bias) = (inputs.Required(node, 0), inputs.Required(node, 1), inputs.ElementAtOrDefault(2));
        var window = Window.Of(node, x, weight.shape[2..]);
        var groups = node.Integer("group", 1);
        (x, var padding) = window.Pad(x, 0);
        return
        [
            padding.Length switch
            {
                1 => F.conv1d(x, weight, bias, window.Strides[0], padding[0], window.Dilations[0], groups),
                2 => F.conv2d(x, weight, bias, window.Strides, padding, window.Dilations, groups),
                var dimensions => throw node.Unsupported($"a convolution in {dimensions} dimensions"),
            },
        ];
    }

    private static Tensor[] TransposedConvolution(OnnxNode node, Tensor?[] inputs)
    {
        var (x, weight, bias) = (inputs.Required(node, 0), inputs.Required(node, 1), inputs.ElementAtOrDefault(2));
        if (node.Has("output_shape") || node.Text("auto_pad", "NOTSET") != "NOTSET")
            throw node.Unsupported("a transposed convolution with an output shape or automatic padding");
        var dimensions = weight.shape.Length - 2;
        long[] ones = [.. Enumerable.Repeat(1L, dimensions)], zeros = new long[dimensions];
        var (strides, dilations) = (node.Integers("strides") ?? ones, node.Integers("dilations") ?? ones);
        var (padding, extra) = (node.Integers("pads") ?? [.. zeros, .. zeros], node.Integers("output_padding") ?? zeros);
        var groups = node.Integer("group", 1);
        if (!padding.AsSpan(0, dimensions).SequenceEqual(padding.AsSpan(dimensions)))
            throw node.Unsupported("a transposed convolution with different padding on two sides");
        padding = padding[..dimensions];
        return
        [
            dimensions switch
            {
                1 => F.conv_transpose1d(x, weight, bias, strides[0], padding[0], extra[0], dilations[0], groups),
                2 => F.conv_transpose2d(x, weight, bias, strides, padding, extra, dilations, groups),
                _ => throw node.Unsupported($"a transposed convolution in {dimensions} dimensions"),
            },
        ];
    }
}
