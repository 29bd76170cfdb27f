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
/// <remarks>Weights: <c>weight</c> [filters, channels, kernel, kernel] and <c>bias</c> [filters].</remarks>
public sealed record ConvolutionLayer(int Filters, int KernelSize, Activation Activation, int Stride, int Padding) : Layer
{
    internal override Activation FinalActivation => Activation;

    internal override void Check() => CheckConvolution(Filters, KernelSize, Stride, Padding, Activation);

    internal override long[] OutputShape(LayerPlace place)
    {
        var (_, height, width) = place.Picture();
        if (Math.Min(height, width) + 2L * Padding < KernelSize)
            throw place.Mismatch($"at least {KernelSize} rows and columns with its padding of {Padding}", "Use a smaller kernel.");
        return [Filters, (height + 2L * Padding - KernelSize) / Stride + 1, (width + 2L * Padding - KernelSize) / Stride + 1];
    }

    internal override IReadOnlyList<LayerWeight> Weights(long[] inputShape)
    {
        double window = (double)KernelSize * KernelSize;
        return
        [
            new("weight", [Filters, inputShape[0], KernelSize, KernelSize],
                WeightInitialization.Before(Activation, inputShape[0] * window, Filters * window)),
            new("bias", [Filters], Initialization.Zeros),
        ];
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.conv2d(input, weights["weight"], weights["bias"], strides: [Stride, Stride], padding: [Padding, Padding]);
}
