using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// AdamW without a schedule (arXiv 2405.15682, algorithm 1): steps go from z; x is the mean of all z; gradients are taken at
/// y = (1 - beta1) z + beta1 x.
/// </summary>
/// <remarks>
/// Parameters are y while they are trained, and x where <see cref="ExchangeWeights"/> has put that in their place: computed from y and z,
/// so that training takes no more memory than AdamW's. y waits beside meanwhile, and comes back with the same bits.
/// </remarks>
internal sealed class ScheduleFreeAdamW : Optimizer<ScheduleFreeAdamW.Slot>
{
    private readonly AdamCoefficients _adam;
    private readonly ScheduleFreeOptions _options;
    private double _share; // that this step's z takes of the mean
    private readonly Tensor _sums = zeros(2, ScalarType.Float64).DetachFromDisposeScope(); // the highest rate so far, all weights

    public ScheduleFreeAdamW(IEnumerable<TrainedParameter> parameters, AdamCoefficients adam, ScheduleFreeOptions options)
        : base(parameters.Select(p => new Slot(p.Name, p.Parameter, p.Decays))) => (_adam, _options) = (adam, options);

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, Tensor>> State => base.State.Append(KeyValuePair.Create("schedule_free.sums", _sums));

    /// <inheritdoc/>
    public override bool HasOwnAverage => true;

    /// <inheritdoc/>
    public override void ExchangeWeights()
    {
        using var gradients = no_grad();
        foreach (var slot in Slots)
            slot.Exchange(_adam.Beta1);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _sums.Dispose();
    }

    protected override void Update(double learningRate, double gradientFactor)
    {
        var sums = _sums.data<double>();
        sums[0] = Math.Max(sums[0], learningRate);
        var weight = Math.Pow(StepCount, _options.StepPower) * Math.Pow(sums[0], _options.RatePower);
        sums[1] += weight;
        _share = sums[1] == 0 ? 0 : weight / sums[1];
        base.Update(learningRate, gradientFactor);
    }

    protected override void Update(Slot slot, Tensor gradient, double rate, double gradientFactor)
    {
        using var scope = NewDisposeScope();
        var y = slot.Parameter;
        var g = ParameterSlot.Scaled(gradient, gradientFactor);
        slot.Square.mul_(_adam.Beta2).addcmul_(g, g, 1 - _adam.Beta2);
        var step = g.div(slot.Square.div(1 - Math.Pow(_adam.Beta2, StepCount)).sqrt_().add_(_adam.Epsilon));
        if (slot.Decays && WeightDecay != 0)
            step.add_(y, alpha: WeightDecay);

        // z moves by -rate step, x by a share of the way to the new z; y, which lies between them, by its parts of both.
        y.lerp_(slot.Base.to(y.dtype), _share).add_(step.to(y.dtype), alpha: rate * (_adam.Beta1 * (1 - _share) - 1));
        slot.Base.add_(step, alpha: -rate);
        slot.RenewCopy();
    }

    internal sealed class Slot : ParameterSlot
    {
        private Tensor? _trained; // y, while the parameter is x

        public Slot(string name, Parameter parameter, bool decays)
            : base(name, parameter, decays)
        {
            (Base, Square) = (AddState("z"), AddState("exp_avg_sq"));
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            Base.copy_(parameter);
        }

        /// <summary>z.</summary>
        public Tensor Base { get; }

        /// <summary>The running mean of squared gradients.</summary>
        public Tensor Square { get; }

        /// <inheritdoc/>
        public override IEnumerable<KeyValuePair<string, Tensor>> State => base.State.Append(
            KeyValuePair.Create($"{Name}.y", _trained ?? Parameter));

        /// <inheritdoc/>
        public override void Dispose()
        {
            base.Dispose();
            _trained?.Dispose();
        }

        /// <summary>Puts x in the place of y, or y back.</summary>
        public void Exchange(double beta1)
        {
            using var scope = NewDisposeScope();
            if (_trained is { } trained)
            {
                Parameter.copy_(trained);
                trained.Dispose();
                _trained = null;
            }
            else
            {
                _trained = Parameter.clone().DetachFromDisposeScope();
                Parameter.lerp_(Base.to(Parameter.dtype), 1 - 1 / beta1);
            }

            RenewCopy();
        }
    }
}
