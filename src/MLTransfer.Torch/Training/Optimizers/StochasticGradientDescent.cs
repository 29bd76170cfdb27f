using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// Stochastic gradient descent, with momentum as PyTorch's SGD has it: v = momentum v + g, w = w - rate v, or with Nesterov's momentum
/// w = w - rate (g + momentum v). Weight decay joins the gradient.
/// </summary>
internal sealed class StochasticGradientDescent(
    IEnumerable<TrainedParameter> parameters, StochasticGradientDescentOptions options) : Optimizer<StochasticGradientDescent.Slot>(
        parameters.Select(p => new Slot(p.Name, p.Parameter, p.Decays, hasMomentum: options.Momentum > 0)))
{
    protected override void Update(Slot slot, Tensor gradient, double rate, double gradientFactor)
    {
        using var scope = NewDisposeScope(); // of the second wrappers that operations in place return
        var parameter = slot.Parameter;
        var change = gradient.to(parameter.dtype);
        if (gradientFactor != 1)
            change = change * gradientFactor;
        if (slot.Decays && WeightDecay != 0)
            change = change.add(parameter, alpha: WeightDecay);
        if (slot.Speed is { } speed)
        {
            // What is dampened is every gradient but the first.
            speed.mul_(options.Momentum).add_(change, alpha: StepCount == 1 ? 1 : 1 - options.Dampening);
            change = options.Nesterov ? change.add(speed, alpha: options.Momentum) : speed;
        }

        parameter.add_(change, alpha: -rate);
        slot.RenewCopy();
    }

    internal sealed class Slot : ParameterSlot
    {
        public Slot(string name, Parameter parameter, bool decays, bool hasMomentum)
            : base(name, parameter, decays) => Speed = hasMomentum ? AddState("momentum_buffer") : null;

        /// <summary>The sum of earlier gradients, each smaller by the momentum for every step since; null without momentum.</summary>
        public Tensor? Speed { get; }
    }
}
