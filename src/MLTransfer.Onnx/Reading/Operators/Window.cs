using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>How the window of a convolution or a pooling moves over the last dimensions of its input.</summary>
/// <param name="Strides">Steps between positions.</param>
/// <param name="Dilations">Steps between the window's elements.</param>
/// <param name="Before">Padding in front of each dimension.</param>
/// <param name="After">Padding behind each dimension.</param>
internal sealed record Window(long[] Strides, long[] Dilations, long[] Before, long[] After)
{
    public bool IsSymmetric => Before.SequenceEqual(After);

    public static Window Of(OnnxNode node, Tensor input, long[] kernel)
    {
        var dimensions = kernel.Length;
        long[] ones = [.. Enumerable.Repeat(1L, dimensions)];
        var (strides, dilations) = (node.Integers("strides") ?? ones, node.Integers("dilations") ?? ones);
        var (before, after) = (new long[dimensions], new long[dimensions]);
        if (node.Integers("pads") is { } pads)
        {
            (before, after) = pads.Length == 2 * dimensions
                ? (pads[..dimensions], pads[dimensions..])
                : throw node.Invalid("its pads do not fit its kernel");
        }

        if (strides.Length != dimensions || dilations.Length != dimensions || strides.Any(s => s < 1) || input.dim() != dimensions + 2)
            throw node.Invalid("its strides, dilations or input do not fit its kernel");
        var automatic = node.Text("auto_pad", "NOTSET");
        if (automatic is "SAME_UPPER" or "SAME_LOWER")
        {
            for (var i = 0; i < dimensions; i++)
            {
                var extent = input.shape[i + 2];
                var positions = (extent + strides[i] - 1) / strides[i];
                var total = Math.Max(0, (positions - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - extent);
                var small = total / 2;
                (before[i], after[i]) = automatic == "SAME_UPPER" ? (small, total - small) : (total - small, small);
            }
        }

        return new Window(strides, dilations, before, after);
    }

    /// <summary>Pads the input where the two sides differ; otherwise gives the padding to hand on.</summary>
    public (Tensor Input, long[] Padding) Pad(Tensor input, double value) => IsSymmetric
        ? (input, Before)
        : (F.pad(
            input, [.. Before.Zip(After).Reverse().SelectMany(pair => (long[])[pair.First, pair.Second])], PaddingModes.Constant, value),
            new long[Before.Length]);
}
