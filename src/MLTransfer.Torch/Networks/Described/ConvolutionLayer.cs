using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Convolution"/>
/// <param name="Filters">Output channels.</param>
/// <param name="KernelSize">Height and width of the kernel.</param>
/// <param name="Activation">What is applied to the result.</param>
/// <param name="Stride">Steps between the kernel's positions.</param>
/// <param name="Padding">Zeros around the input.</param>
/// <remarks>Weights: <c>weight</c> [filters, channels / groups, height, width] and <c>bias</c> [filters].</remarks>
public sealed record ConvolutionLayer(
    int Filters, HeightWidth KernelSize, Activation Activation, HeightWidth Stride, HeightWidth Padding) : Layer
{
    /// <summary>Steps between the elements that the kernel reads.</summary>
    public HeightWidth Dilation { get; init; } = 1;

    /// <summary>In how many groups channels are split, each of which makes its share of the output.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether there is a <c>bias</c>.</summary>
    public bool HasBias { get; init; } = true;

    internal override Activation FinalActivation => Activation;

    internal override void Check() => CheckConvolution(Filters, KernelSize, Stride, Padding, Dilation, Groups, Activation);

    internal override long[] OutputShape(LayerPlace place)
    {
        var (channels, height, width) = place.Picture();
        place.CheckGroups(channels, Groups);
        return
        [
            Filters,
            Extent(height, KernelSize.Height, Stride.Height, Padding.Height, Dilation.Height),
            Extent(width, KernelSize.Width, Stride.Width, Padding.Width, Dilation.Width),
        ];

        long Extent(long size, long kernel, long stride, long padding, long dilation)
        {
            var reach = dilation * (kernel - 1) + 1;
            return size + 2 * padding >= reach
                ? (size + 2 * padding - reach) / stride + 1
                : throw place.Mismatch($"at least {reach} rows and columns with its padding of {Padding}", "Use a smaller kernel.");
        }
    }

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape)
    {
        double window = (double)KernelSize.Height * KernelSize.Width / Groups;
        var weight = new LayerWeight("weight", [Filters, inputShape[0] / Groups, KernelSize.Height, KernelSize.Width],
            WeightInitialization.Before(Activation, inputShape[0] * window, Filters * window));
        return HasBias ? [weight, new("bias", [Filters], Initialization.Zeros)] : [weight];
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => F.conv2d(
        input, weights["weight"], weights.GetValueOrDefault("bias"), Stride.ToArray(), Padding.ToArray(), Dilation.ToArray(), Groups);
}
