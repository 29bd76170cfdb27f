using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.TransposedConvolution"/>
/// <param name="Filters">Output channels.</param>
/// <param name="KernelSize">Height and width of the kernel.</param>
/// <param name="Activation">What is applied to the result.</param>
/// <param name="Stride">How many times larger the output is.</param>
/// <param name="Padding">Rows and columns cut off at each side of the output.</param>
/// <remarks>Weights: <c>weight</c> [channels, filters / groups, height, width] and <c>bias</c> [filters].</remarks>
public sealed record TransposedConvolutionLayer(
    int Filters, HeightWidth KernelSize, Activation Activation, HeightWidth Stride, HeightWidth Padding) : Layer
{
    /// <summary>Rows and columns added at the end of the output, fewer than stride or dilation.</summary>
    public HeightWidth OutputPadding { get; init; }

    /// <summary>Steps between the elements that the kernel writes.</summary>
    public HeightWidth Dilation { get; init; } = 1;

    /// <summary>In how many groups channels are split, each of which makes its share of the output.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether there is a <c>bias</c>.</summary>
    public bool HasBias { get; init; } = true;

    internal override Activation FinalActivation => Activation;

    internal override void Check()
    {
        CheckConvolution(Filters, KernelSize, Stride, Padding, Dilation, Groups, Activation);
        CheckSizes(nameof(OutputPadding), OutputPadding, minimum: 0);
        if (OutputPadding.Height >= Math.Max(Stride.Height, Dilation.Height)
            || OutputPadding.Width >= Math.Max(Stride.Width, Dilation.Width))
        {
            throw new ArgumentOutOfRangeException(
                nameof(OutputPadding), OutputPadding,
                $"{nameof(OutputPadding)} must be less than {nameof(Stride)} ({Stride}) or {nameof(Dilation)} ({Dilation}).");
        }
    }

    internal override long[] OutputShape(LayerPlace place)
    {
        var (channels, height, width) = place.Picture();
        place.CheckGroups(channels, Groups);
        long[] shape =
        [
            Filters,
            Extent(height, KernelSize.Height, Stride.Height, Padding.Height, Dilation.Height, OutputPadding.Height),
            Extent(width, KernelSize.Width, Stride.Width, Padding.Width, Dilation.Width, OutputPadding.Width),
        ];
        return shape[1] > 0 && shape[2] > 0 ? shape
            : throw place.Mismatch($"more than its padding of {Padding} cuts off", "Use a smaller padding.");

        static long Extent(long size, long kernel, long stride, long padding, long dilation, long added) =>
            checked((size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 + added);
    }

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape)
    {
        // Kernel positions that reach one output element.
        double window = (double)KernelSize.Height * KernelSize.Width / ((double)Stride.Height * Stride.Width) / Groups;
        var weight = new LayerWeight("weight", [inputShape[0], Filters / Groups, KernelSize.Height, KernelSize.Width],
            WeightInitialization.Before(Activation, inputShape[0] * window, Filters * window));
        return HasBias ? [weight, new("bias", [Filters], Initialization.Zeros)] : [weight];
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => F.conv_transpose2d(
        input, weights["weight"], weights.GetValueOrDefault("bias"), Stride.ToArray(), Padding.ToArray(), OutputPadding.ToArray(),
        Dilation.ToArray(), Groups);
}
