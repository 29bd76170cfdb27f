using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Vits;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Speech;

/// <summary>The inverse of a monotonic function of rational quadratic pieces; see <see cref="RationalQuadraticSpline"/>.</summary>
internal sealed class SplineNodes(SpeechNodes nodes)
{
    private readonly GraphBuilder _graph = nodes.Graph;
    private readonly int _bins = nodes.Sizes.SplineBins;
    private readonly double _bound = nodes.Sizes.SplineBound;

    /// <summary>[N, T, 1] to the same shape.</summary>
    /// <param name="y">What is mapped back.</param>
    /// <param name="widths">Before softmax: [N, T, bins].</param>
    /// <param name="heights">Likewise.</param>
    /// <param name="slopes">Before softplus: [N, T, bins - 1].</param>
    public Value Invert(Value y, Value widths, Value heights, Value slopes)
    {
        var isInside = _graph.Node("LessOrEqual", [_graph.Node("Abs", [y]), nodes.Number(_bound)]);
        var inside = _graph.Node("Where", [isInside, y, nodes.Number(0)]);
        var (knotsX, sizesX) = Knots(widths);
        var (knotsY, sizesY) = Knots(heights);
        var padded = _graph.Node("Pad", [
            slopes, _graph.Constant([0, 0, 1, 0, 0, 1]), nodes.Number(RationalQuadraticSpline.BoundarySlope)], ("mode", "constant"));
        var derivatives = _graph.Sum(_graph.Node("Softplus", [padded]), nodes.Number(RationalQuadraticSpline.MinimumSlope));

        var isBehind = _graph.Cast(
            _graph.Node("GreaterOrEqual", [inside, nodes.Slice(knotsY, 2, 0, _bins)]), DataType.Int64); // [N, T, bins]
        var bin = nodes.Difference(nodes.SumOver(isBehind, 2, keeps: true), _graph.Constant([1]));
        var (x0, width) = (At(knotsX), At(sizesX));
        var (y0, height) = (At(knotsY), At(sizesY));
        var slope0 = At(derivatives);
        var slope1 = nodes.GatherLast(derivatives, _graph.Sum(bin, _graph.Constant([1])), 2);
        var delta = nodes.Quotient(height, width);
        var curvature = nodes.Difference(_graph.Sum(slope0, slope1), _graph.Product(delta, nodes.Number(2)));

        var offset = nodes.Difference(inside, y0);
        var bent = _graph.Product(offset, curvature);
        var a = _graph.Sum(bent, _graph.Product(height, nodes.Difference(delta, slope0)));
        var b = nodes.Difference(_graph.Product(height, slope0), bent);
        var c = _graph.Node("Neg", [_graph.Product(delta, offset)]);
        var discriminant = nodes.Difference(_graph.Product(b, b), _graph.Product(_graph.Product(a, c), nodes.Number(4)));
        var root = _graph.Node("Sqrt", [_graph.Node("Relu", [discriminant])]);
        var theta = nodes.Quotient(_graph.Product(c, nodes.Number(2)), _graph.Node("Neg", [_graph.Sum(b, root)]));
        return _graph.Node("Where", [isInside, _graph.Sum(_graph.Product(theta, width), x0), y]);

        Value At(Value values) => nodes.GatherLast(values, bin, 2);
    }

    /// <summary>The places of knots, [N, T, bins + 1], and the sizes of the bins between them, [N, T, bins].</summary>
    private (Value Knots, Value Sizes) Knots(Value shares)
    {
        const double minimum = RationalQuadraticSpline.MinimumBin;
        var sizes = _graph.Sum(
            _graph.Product(_graph.Node("Softmax", [shares], ("axis", -1L)), nodes.Number(1 - minimum * _bins)), nodes.Number(minimum));
        var sums = _graph.Node("CumSum", [sizes, _graph.Constant([2], isScalar: true)]);
        var inner = nodes.Difference(
            _graph.Product(nodes.Slice(sums, 2, 0, _bins - 1), nodes.Number(2 * _bound)), nodes.Number(_bound));
        var knots = Pad(Pad(inner, [0, 0, 1, 0, 0, 0], -_bound), [0, 0, 0, 0, 0, 1], _bound);
        return (knots, nodes.Difference(nodes.Slice(knots, 2, 1, _bins + 1), nodes.Slice(knots, 2, 0, _bins)));

        Value Pad(Value x, long[] pads, double value) =>
            _graph.Node("Pad", [x, _graph.Constant(pads), nodes.Number(value)], ("mode", "constant"));
    }
}
