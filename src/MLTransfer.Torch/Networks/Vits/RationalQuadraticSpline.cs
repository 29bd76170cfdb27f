using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// A monotonic function of rational quadratic pieces between -bound and bound, and the identity outside (arXiv 1906.04032).
/// </summary>
internal static class RationalQuadraticSpline
{
    public const double MinimumBin = 1e-3;
    public const double MinimumSlope = 1e-3;

    /// <summary>What softplus makes a slope of 1 of, less <see cref="MinimumSlope"/>: the slope at the bounds.</summary>
    public static double BoundarySlope { get; } = Math.Log(Math.Exp(1 - MinimumSlope) - 1);

    /// <summary>Applies the function, or its inverse, to each element.</summary>
    /// <param name="inputs">Any shape.</param>
    /// <param name="widths">Of the pieces, before softmax: [..., bins].</param>
    /// <param name="heights">Likewise.</param>
    /// <param name="slopes">At the inner knots, before softplus: [..., bins - 1].</param>
    /// <param name="bound">Where the identity begins.</param>
    /// <param name="isReverse">Whether the inverse is meant.</param>
    /// <returns>The outputs, and the logarithms of the derivatives, in the inputs' shape.</returns>
    public static (Tensor Outputs, Tensor LogDerivatives) Apply(
        Tensor inputs, Tensor widths, Tensor heights, Tensor slopes, double bound, bool isReverse)
    {
        using var scope = NewDisposeScope();
        var isInside = inputs.ge(-bound).logical_and(inputs.le(bound));
        var x = where(isInside, inputs, zeros_like(inputs)); // the identity's part takes no gradient through the pieces
        var (knotsX, binWidths) = Knots(widths, bound);
        var (knotsY, binHeights) = Knots(heights, bound);
        // [..., bins + 1]
        var derivatives = F.softplus(F.pad(slopes, [1, 1], TorchSharp.PaddingModes.Constant, BoundarySlope)) + MinimumSlope;

        var bin = Bin(isReverse ? knotsY : knotsX, x); // [..., 1]
        var (x0, width) = (At(knotsX), At(binWidths));
        var (y0, height) = (At(knotsY), At(binHeights));
        var (slope0, slope1) = (At(derivatives), derivatives.gather(-1, bin + 1).squeeze(-1));
        var delta = height / width;
        var curvature = slope0 + slope1 - 2 * delta;

        Tensor outputs, theta;
        if (isReverse)
        {
            var offset = x - y0;
            var a = offset * curvature + height * (delta - slope0);
            var b = height * slope0 - offset * curvature;
            var c = -delta * offset;
            theta = 2 * c / (-b - (b.square() - 4 * a * c).clamp(min: 0).sqrt());
            outputs = theta * width + x0;
        }
        else
        {
            theta = (x - x0) / width;
            outputs = y0 + height * (delta * theta.square() + slope0 * theta * (1 - theta)) / Denominator();
        }

        var slope = delta.square() * (slope1 * theta.square() + 2 * delta * theta * (1 - theta) + slope0 * (1 - theta).square());
        var logDerivative = slope.log() - 2 * Denominator().log();
        if (isReverse)
            logDerivative = -logDerivative;
        return (
            where(isInside, outputs, inputs).MoveToOuterDisposeScope(),
            where(isInside, logDerivative, zeros_like(logDerivative)).MoveToOuterDisposeScope());

        Tensor At(Tensor values) => values.gather(-1, bin).squeeze(-1);

        Tensor Denominator() => delta + curvature * theta * (1 - theta);
    }

    /// <summary>The places of knots, [..., bins + 1], and the sizes of the bins between them, [..., bins].</summary>
    private static (Tensor Knots, Tensor Sizes) Knots(Tensor shares, double bound)
    {
        var bins = shares.shape[^1];
        var sizes = MinimumBin + (1 - MinimumBin * bins) * shares.softmax(-1);
        var inner = 2 * bound * sizes.cumsum(-1).narrow(-1, 0, bins - 1) - bound;
        var knots = F.pad(F.pad(inner, [1, 0], TorchSharp.PaddingModes.Constant, -bound), [0, 1], TorchSharp.PaddingModes.Constant, bound);
        return (knots, knots.narrow(-1, 1, bins) - knots.narrow(-1, 0, bins));
    }

    /// <summary>The bin that each element is in: [..., 1] int64.</summary>
    private static Tensor Bin(Tensor knots, Tensor x)
    {
        var bins = knots.shape[^1] - 1;
        return x.unsqueeze(-1).ge(knots.detach().narrow(-1, 0, bins)).sum(-1, keepdim: true) - 1;
    }
}
