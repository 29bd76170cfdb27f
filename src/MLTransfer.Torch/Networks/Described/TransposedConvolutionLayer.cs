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
/// <remarks>Weights: <c>weight</c> [channels, filters, kernel, kernel] and <c>bias</c> [filters].</remarks>
public sealed record TransposedConvolutionLayer(int Filters, int KernelSize, Activation Activation, int Stride, int Padding) : Layer
{
    internal override Activation FinalActivation => Activation;

    internal override void Check() => CheckConvolution(Filters, KernelSize, Stride, Padding, Activation);

    internal override long[] OutputShape(LayerPlace place)
    {
        var (_, height, width) = place.Picture();
        long[] shape = [Filters, Extent(height), Extent(width)];
        return shape[1] > 0 && shape[2] > 0 ? shape
            : throw place.Mismatch($"more than its padding of {Padding} cuts off", "Use a smaller padding.");

        long Extent(long size) => checked((size - 1) * Stride - 2L * Padding + KernelSize);
    }

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape)
    {
        double window = (double)KernelSize * KernelSize / ((double)Stride * Stride); // kernel positions that reach one output element
        return
        [
            new("weight", [inputShape[0], Filters, KernelSize, KernelSize],
                WeightInitialization.Before(Activation, inputShape[0] * window, Filters * window)),
            new("bias", [Filters], Initialization.Zeros),
        ];
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.conv_transpose2d(input, weights["weight"], weights["bias"], strides: [Stride, Stride], padding: [Padding, Padding]);
}
