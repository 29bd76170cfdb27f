using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>A flow that maps one channel by a spline, which a network makes of the other one (arXiv 1906.04032).</summary>
internal sealed class SplineFlow : NamedModule
{
    public SplineFlow(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(SplineFlow))
    {
        (Width, Bins, Bound) = (c.HiddenWidth, c.SplineBins, c.SplineBound);
        Input = new TimeConvolution(weights.Scope("conv_pre"), 1, c.HiddenWidth, kernel: 1);
        Convolutions = new DepthwiseConvolutions(weights.Scope("conv_dds"), c, dropoutProbability: 0, dropout);
        Output = new TimeConvolution(weights.Scope("conv_proj"), c.HiddenWidth, 3 * c.SplineBins - 1, kernel: 1, deviation: 0);
        register_module("conv_pre", Input);
        register_module("conv_dds", Convolutions);
        register_module("conv_proj", Output);
    }

    public int Width { get; }

    public int Bins { get; }

    public double Bound { get; }

    public TimeConvolution Input { get; }

    public DepthwiseConvolutions Convolutions { get; }

    public TimeConvolution Output { get; }

    /// <summary>[N, 2, T] to the same shape, and the logarithm of the determinant, [N].</summary>
    /// <param name="input">What is transformed.</param>
    /// <param name="mask">[N, 1, T]: 1 for characters, 0 for padding.</param>
    /// <param name="condition">[N, width, T].</param>
    /// <param name="isReverse">Whether the inverse is meant.</param>
    public (Tensor Output, Tensor LogDeterminant) Forward(Tensor input, Tensor mask, Tensor condition, bool isReverse)
    {
        using var scope = NewDisposeScope();
        var first = input.narrow(1, 0, 1);
        var hidden = Convolutions.Forward(Input.Forward(first), mask, condition);
        var parameters = (Output.Forward(hidden) * mask).transpose(1, 2); // [N, T, 3 bins - 1]
        var scale = Math.Sqrt(Width);
        var (second, logDerivatives) = RationalQuadraticSpline.Apply(
            input.select(1, 1), parameters.narrow(2, 0, Bins) / scale, parameters.narrow(2, Bins, Bins) / scale,
            parameters.narrow(2, 2 * Bins, Bins - 1), Bound, isReverse);
        var output = cat([first, second.unsqueeze(1)], 1) * mask;
        return (output.MoveToOuterDisposeScope(), (logDerivatives.unsqueeze(1) * mask).sum([1, 2]).MoveToOuterDisposeScope());
    }
}
