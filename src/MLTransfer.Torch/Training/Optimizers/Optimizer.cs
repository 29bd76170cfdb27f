using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Changes parameters by their gradients.</summary>
/// <remarks>
/// A parameter may have a copy in the type that products are computed in; its gradient counts as the parameter's, and an update renews it.
/// </remarks>
internal abstract class Optimizer : IDisposable
{
    /// <summary>The number of updates done.</summary>
    public int StepCount { get; set; }

    /// <summary>The share of a decaying parameter that an update removes, times the learning rate.</summary>
    public double WeightDecay { get; set; }

    /// <summary>What the learning rate of a parameter is multiplied with, by its name; null for nothing.</summary>
    public Func<string, double>? RateFactor { get; init; }

    /// <summary>
    /// What an update depends on beside gradients and <see cref="StepCount"/>, under names that begin with those of the parameters.
    /// </summary>
    public virtual IEnumerable<KeyValuePair<string, Tensor>> State => Slots.SelectMany(slot => slot.State);

    /// <summary>
    /// Whether weights to evaluate, save and keep are others than those that gradients are taken at; see <see cref="ExchangeWeights"/>.
    /// </summary>
    public virtual bool HasOwnAverage => false;

    /// <summary>The parameters, in their order.</summary>
    public abstract IReadOnlyList<ParameterSlot> Slots { get; }

    /// <summary>Puts the weights that are evaluated, saved and kept in the place of those that are trained, or these back.</summary>
    public virtual void ExchangeWeights()
    {
    }

    /// <summary>
    /// A copy of a parameter in another type, which every update of the parameter renews. A gradient that a backward pass leaves at the
    /// copy counts as the parameter's, which then has none of its own.
    /// </summary>
    /// <param name="parameter">One of this optimizer's.</param>
    /// <param name="type">The copy's type.</param>
    /// <returns>A leaf of the graph; this optimizer owns it.</returns>
    public Tensor CopyOf(Parameter parameter, ScalarType type)
    {
        using var gradients = no_grad();
        var slot = Slots.FirstOrDefault(slot => ReferenceEquals(slot.Parameter, parameter))
            ?? throw new ArgumentException("The parameter is not one of the optimizer's.", nameof(parameter));
        return slot.Copy ??= parameter.to(type, copy: true).requires_grad_(true).DetachFromDisposeScope();
    }

    /// <summary>Renews the copies after parameters were changed by others.</summary>
    public void RenewCopies()
    {
        using var gradients = no_grad();
        foreach (var slot in Slots)
            slot.RenewCopy();
    }

    /// <summary>The gradients that there are, as new wrappers of the caller's, in the order of the parameters.</summary>
    public IEnumerable<Tensor> Gradients()
    {
        foreach (var slot in Slots)
        {
            if (slot.Gradient is { } gradient)
                yield return gradient;
        }
    }

    /// <summary>
    /// Adds the gradients of the copies to those of the parameters, for sums over several backward passes in the parameters' precision;
    /// libtorch adds to the gradients of parameters itself.
    /// </summary>
    public void AddUpGradients()
    {
        using var gradients = no_grad();
        foreach (var slot in Slots)
        {
            if (slot.Copy?.grad is not { } gradient)
                continue;
            using var scope = NewDisposeScope();
            using (gradient)
            {
                if (slot.Parameter.grad is { } sum)
                    sum.add_(gradient);
                else
                    slot.Parameter.grad = gradient.to(slot.Parameter.dtype);
            }

            slot.Copy.grad = null;
        }
    }

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="learningRate">The step size.</param>
    /// <param name="gradientFactor">What gradients are multiplied with first: gradient clipping.</param>
    public void Step(double learningRate, double gradientFactor)
    {
        StepCount++;
        using var gradients = no_grad();
        Update(learningRate, gradientFactor);
    }

    /// <summary>
    /// Frees the gradients. The next backward pass makes its own, which costs less than zeroing these and adding to them.
    /// </summary>
    public void ClearGradients()
    {
        foreach (var slot in Slots)
        {
            slot.Parameter.grad = null;
            if (slot.Copy is not null)
                slot.Copy.grad = null;
        }
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        foreach (var slot in Slots)
            slot.Dispose();
    }

    /// <summary>The Euclidean norm of all gradients together.</summary>
    public double GradientNorm()
    {
        double sum = 0;
        foreach (var gradient in Gradients())
        {
            using (gradient)
                sum += SumOfSquares.Of(gradient);
        }

        return Math.Sqrt(sum);
    }

    /// <summary>The update of step <see cref="StepCount"/>, without a graph; see <see cref="Step"/>.</summary>
    protected abstract void Update(double learningRate, double gradientFactor);

    /// <summary>The learning rate of a parameter.</summary>
    protected double RateOf(ParameterSlot slot, double learningRate) => learningRate * (RateFactor?.Invoke(slot.Name) ?? 1);

    /// <summary>What is left of a parameter after weight decay.</summary>
    protected double KeptBy(ParameterSlot slot, double rate) => slot.Decays ? 1 - rate * WeightDecay : 1;
}

/// <summary>Changes each parameter by its own gradient alone.</summary>
/// <param name="slots">The parameters.</param>
internal abstract class Optimizer<TSlot>(IEnumerable<TSlot> slots) : Optimizer
    where TSlot : ParameterSlot
{
    private readonly List<TSlot> _slots = [.. slots];

    public override IReadOnlyList<TSlot> Slots => _slots;

    protected override void Update(double learningRate, double gradientFactor)
    {
        foreach (var slot in _slots)
        {
            if (slot.Gradient is not { } gradient)
                continue;
            using (gradient)
                Update(slot, gradient, RateOf(slot, learningRate), gradientFactor);
        }
    }

    /// <summary>Updates a parameter and its copy.</summary>
    /// <param name="slot">The parameter.</param>
    /// <param name="gradient">Of the parameter's shape.</param>
    /// <param name="rate">The parameter's learning rate.</param>
    /// <param name="gradientFactor">What the gradient is multiplied with first.</param>
    protected abstract void Update(TSlot slot, Tensor gradient, double rate, double gradientFactor);
}
