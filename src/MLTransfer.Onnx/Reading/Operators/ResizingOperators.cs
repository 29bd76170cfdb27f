using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Operators that make pictures larger.</summary>
internal static class ResizingOperators
{
    public static IReadOnlyDictionary<string, Operator> All { get; } = new Dictionary<string, Operator>
    {
        ["Pad"] = Pad,
        ["Resize"] = Resize,
        ["Upsample"] = Upsample,
        ["DepthToSpace"] = DepthToSpace,
    };

    private static Tensor[] Pad(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var rank = (int)x.dim();
        var pads = node.Opset < 11 ? node.Integers("pads") ?? throw node.Invalid("it has no pads") : node.Values(inputs.Required(node, 1));
        var value = node.Opset < 11 ? node.Number("value", 0) : inputs.ElementAtOrDefault(2)?.to(ScalarType.Float64).item<double>() ?? 0;
        if (pads.Length != 2 * rank || inputs.ElementAtOrDefault(3) is not null)
            throw node.Unsupported("a padding of named axes");
        var first = 0; // libtorch's modes other than the constant one pad the last dimensions only
        while (first < rank && pads[first] == 0 && pads[first + rank] == 0)
            first++;
        if (first == rank)
            return [x.alias()];
        long[] last = [.. Enumerable.Range(first, rank - first).Reverse().SelectMany(i => (long[])[pads[i], pads[i + rank]])];
        return
        [
            F.pad(x, last, node.Text("mode", "constant") switch
            {
                "constant" => PaddingModes.Constant,
                "reflect" => PaddingModes.Reflect,
                "edge" => PaddingModes.Replicate,
                var mode => throw node.Unsupported($"the padding mode '{mode}'"),
            }, value),
        ];
    }

    private static Tensor[] Resize(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        if (node.Text("mode", "nearest") != "nearest" || node.Has("axes"))
            throw node.Unsupported($"a resizing other than to the nearest element ('{node.Text("mode", "nearest")}')");
        // With whole factors these all repeat each element; rounding shows only otherwise.
        var coordinates = node.Text("coordinate_transformation_mode", "half_pixel");
        if (node.Opset >= 11 && coordinates is not ("half_pixel" or "pytorch_half_pixel" or "half_pixel_symmetric")
            && (coordinates != "asymmetric" || node.Text("nearest_mode", "round_prefer_floor") != "floor"))
            throw node.Unsupported($"a resizing with the coordinates '{coordinates}'");
        if (inputs.ElementAtOrDefault(3) is { } sizes)
            return [Repeat(node, x, [.. node.Values(sizes).Zip(x.shape, (size, extent) => (double)size / extent)])];
        return [Repeat(node, x, Numbers(inputs.Required(node, node.Opset < 11 ? 1 : 2)))];
    }

    private static Tensor[] Upsample(OnnxNode node, Tensor?[] inputs) => node.Text("mode", "nearest") == "nearest"
        ? [Repeat(node, inputs.Required(node, 0), Numbers(inputs.Required(node, 1)))]
        : throw node.Unsupported("a resizing other than to the nearest element");

    private static Tensor Repeat(OnnxNode node, Tensor x, double[] factors)
    {
        if (factors.Length != x.dim())
            throw node.Invalid($"its {factors.Length} factors do not fit an input of {x.dim()} dimensions");
        var result = x.alias();
        for (var i = 0; i < factors.Length; i++)
        {
            if (factors[i] < 1 || factors[i] != Math.Floor(factors[i]) || factors[i] > int.MaxValue)
                throw node.Unsupported($"a resizing by a factor of {factors[i]}");
            if (factors[i] > 1)
                result = result.repeat_interleave((long)factors[i], i);
        }

        return result;
    }

    private static double[] Numbers(Tensor tensor) => tensor.to(ScalarType.Float64).flatten().data<double>().ToArray();

    // The block is taken from the channels either as their first or as their last factor.
    private static Tensor[] DepthToSpace(OnnxNode node, Tensor?[] inputs)
    {
        var (x, block) = (inputs.Required(node, 0), node.Integer("blocksize", 1));
        if (x.shape is not [var batch, var channels, var height, var width] || block < 1 || channels % (block * block) != 0)
            throw node.Invalid("its input does not fit its blocksize");
        if (node.Text("mode", "DCR") == "CRD")
            return [F.pixel_shuffle(x, block)];
        var depth = channels / (block * block);
        return [x.reshape(batch, block, block, depth, height, width).permute(0, 3, 4, 1, 5, 2).reshape(
            batch, depth, height * block, width * block)];
    }
}
