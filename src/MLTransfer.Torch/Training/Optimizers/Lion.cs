using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// Lion (arXiv 2302.06675, algorithm 2): w = w - rate (sign(beta1 m + (1 - beta1) g) + decay w), then m = beta2 m + (1 - beta2) g.
/// </summary>
internal sealed class Lion(IEnumerable<TrainedParameter> parameters, LionOptions options) : Optimizer<Lion.Slot>(
    parameters.Select(p => new Slot(p.Name, p.Parameter, p.Decays)))
{
    protected override void Update(Slot slot, Tensor gradient, double rate, double gradientFactor)
    {
        using var scope = NewDisposeScope();
        var g = ParameterSlot.Scaled(gradient, gradientFactor);
        var direction = slot.Mean.mul(options.Beta1).add_(g, alpha: 1 - options.Beta1).sign_();
        if (KeptBy(slot, rate) is not 1.0 and var kept)
            slot.Parameter.mul_(kept);
        slot.Parameter.add_(direction.to(slot.Parameter.dtype), alpha: -rate);
        slot.Mean.mul_(options.Beta2).add_(g, alpha: 1 - options.Beta2);
        slot.RenewCopy();
    }

    internal sealed class Slot : ParameterSlot
    {
        public Slot(string name, Parameter parameter, bool decays)
            : base(name, parameter, decays) => Mean = AddState("exp_avg");

        /// <summary>The running mean of gradients.</summary>
        public Tensor Mean { get; }
    }
}
