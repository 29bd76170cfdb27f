namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Options of stochastic gradient descent; names and defaults are those of <c>torch.optim.SGD</c>.</summary>
/// <remarks>Weight decay joins the gradient, so that momentum goes on with it.</remarks>
public sealed record StochasticGradientDescentOptions : OptimizerOptions
{
    /// <summary>The share of the last step that the next one keeps, from 0 to less than 1 (<c>momentum</c>).</summary>
    public double Momentum { get; init; }

    /// <summary>The share of each gradient but the first that momentum leaves out (<c>dampening</c>).</summary>
    public double Dampening { get; init; }

    /// <summary>
    /// Whether a step looks ahead by the momentum of the next one (<c>nesterov</c>); needs momentum and no dampening.
    /// </summary>
    public bool Nesterov { get; init; }

    internal override OptimizerAlgorithm Algorithm => OptimizerAlgorithm.StochasticGradientDescent;

    internal override void Check()
    {
        OptionRange.FromZeroToLessThanOne(nameof(Momentum), Momentum);
        OptionRange.Between(nameof(Dampening), Dampening, 0, 1);
        if (Nesterov && (Momentum == 0 || Dampening != 0))
        {
            throw new ArgumentException(
                $"{nameof(Nesterov)} needs {nameof(Momentum)} above 0 and {nameof(Dampening)} 0; they are {Momentum} and {Dampening}.",
                nameof(Nesterov));
        }
    }
}
