using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Pooling over windows and over whole pictures.</summary>
internal static class PoolingOperators
{
    public static IReadOnlyDictionary<string, Operator> All { get; } = new Dictionary<string, Operator>
    {
        ["MaxPool"] = MaximumPooling,
        ["AveragePool"] = AveragePooling,
        ["GlobalAveragePool"] = (node, inputs) => [inputs.Required(node, 0).mean(Picture(inputs.Required(node, 0)), keepdim: true)],
        ["GlobalMaxPool"] = (node, inputs) => [inputs.Required(node, 0).amax(Picture(inputs.Required(node, 0)), keepdim: true)],
    };

    private static Tensor[] MaximumPooling(OnnxNode node, Tensor?[] inputs)
    {
        var (x, kernel, ceiling) = (inputs.Required(node, 0), Kernel(node), node.Integer("ceil_mode", 0) != 0);
        var window = Window.Of(node, x, kernel);
        (x, var padding) = window.Pad(x, double.NegativeInfinity);
        return
        [
            kernel.Length == 1
                ? F.max_pool1d(x, kernel[0], window.Strides[0], padding[0], window.Dilations[0], ceiling)
                : F.max_pool2d(x, kernel, window.Strides, padding, window.Dilations, ceiling),
        ];
    }

    private static Tensor[] AveragePooling(OnnxNode node, Tensor?[] inputs)
    {
        var (x, kernel, ceiling) = (inputs.Required(node, 0), Kernel(node), node.Integer("ceil_mode", 0) != 0);
        var window = Window.Of(node, x, kernel);
        var countsPadding = node.Integer("count_include_pad", 0) != 0;
        if (window.Dilations.Any(dilation => dilation != 1) || (!window.IsSymmetric && (!countsPadding || ceiling)))
            throw node.Unsupported("an average pooling with dilations or with different padding on two sides");
        (x, var padding) = window.Pad(x, 0);
        return
        [
            kernel.Length == 1
                ? F.avg_pool1d(x, kernel[0], window.Strides[0], padding[0], ceiling, countsPadding)
                : F.avg_pool2d(x, kernel, window.Strides, padding, ceiling, countsPadding),
        ];
    }

    private static long[] Kernel(OnnxNode node)
    {
        var kernel = node.Integers("kernel_shape") ?? throw node.Invalid("it has no kernel_shape");
        return kernel.Length is 1 or 2 ? kernel : throw node.Unsupported($"a pooling in {kernel.Length} dimensions");
    }

    private static long[] Picture(Tensor input) => [.. Enumerable.Range(2, (int)input.dim() - 2).Select(i => (long)i)];
}
