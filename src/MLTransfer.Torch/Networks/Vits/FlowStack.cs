using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>The flows of a stochastic duration predictor: an affine one, then splines with channels swapped after each.</summary>
internal sealed class FlowStack
{
    private readonly List<SplineFlow> _splines = [];

    /// <param name="owner">The module that gets them.</param>
    /// <param name="name">What it calls them.</param>
    /// <param name="weights">The module's.</param>
    /// <param name="c">The sizes.</param>
    /// <param name="dropout">Where dropout draws from.</param>
    public FlowStack(nn.Module owner, string name, WeightScope weights, VitsConfiguration c, DropoutSource dropout)
    {
        Affine = new ElementwiseAffine(weights.Scope($"{name}.0"));
        ModuleNode.Add(owner, $"{name}.0", Affine);
        for (var i = 1; i <= c.DurationFlows; i++)
        {
            var spline = new SplineFlow(weights.Scope($"{name}.{i}"), c, dropout);
            ModuleNode.Add(owner, $"{name}.{i}", spline);
            _splines.Add(spline);
        }
    }

    public ElementwiseAffine Affine { get; }

    /// <summary>
    /// The splines in the order of sampling. The first one of training is left out, as the authors do: it maps the channel that is noise
    /// in the end.
    /// </summary>
    public IEnumerable<SplineFlow> Sampling => _splines.Skip(1).Reverse();

    /// <summary>[N, 2, T] to the same shape, and the logarithm of the determinant, [N].</summary>
    public (Tensor Output, Tensor LogDeterminant) Forward(Tensor input, Tensor mask, Tensor condition)
    {
        var (x, logDeterminant) = Affine.Forward(input, mask);
        foreach (var spline in _splines)
        {
            var (output, logPart) = spline.Forward(x, mask, condition, isReverse: false);
            (x, logDeterminant) = (output.flip(1), logDeterminant + logPart);
        }

        return (x, logDeterminant);
    }
}
