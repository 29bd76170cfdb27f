using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// Muon (Jordan et al. 2024): the momentum of a matrix, m = u m + (1 - u) g, made orthogonal (<see cref="NewtonSchulz"/>), is its step.
/// AdamW trains what is no matrix inside the network.
/// </summary>
/// <remarks>Matrices of one shape go through the iterations together, as many as a few megabytes hold.</remarks>
internal sealed class Muon : Optimizer
{
    /// <summary>The numbers of the matrices that are made orthogonal at once, if it is more than one.</summary>
    private const long BatchNumbers = 1 << 20;

    private readonly MuonOptions _options;
    private readonly double _otherRateFactor;
    private readonly List<List<Slot>> _batches;
    private readonly AdamW _others;
    private readonly List<ParameterSlot> _slots;

    /// <param name="parameters">Those that are hidden are Muon's.</param>
    /// <param name="adam">Of AdamW.</param>
    /// <param name="options">Of Muon.</param>
    /// <param name="learningRate">The run's peak, that of the matrices.</param>
    /// <param name="weightDecay">Of matrices and others.</param>
    /// <param name="rateFactor">See <see cref="Optimizer.RateFactor"/>.</param>
    public Muon(
        IEnumerable<TrainedParameter> parameters, AdamCoefficients adam, MuonOptions options, double learningRate, double weightDecay,
        Func<string, double>? rateFactor)
    {
        _options = options;
        _otherRateFactor = options.OtherLearningRate is { } other ? other / learningRate : 1;
        (WeightDecay, RateFactor) = (weightDecay, rateFactor);
        var all = parameters.ToList();
        var matrices = all.Where(p => p.IsHidden).Select(p => new Slot(p.Name, p.Parameter, p.Decays)).ToList();
        _batches =
        [
            .. matrices.GroupBy(slot => (slot.Short, slot.Long))
                .SelectMany(group => group.Chunk((int)Math.Max(1, BatchNumbers / (group.Key.Short * group.Key.Long))))
                .Select(batch => batch.ToList()),
        ];
        _others = new AdamW(
            all.Where(p => !p.IsHidden).Select(p => (p.Name, p.Parameter, p.Decays)), adam.Beta1, adam.Beta2, adam.Epsilon)
        {
            WeightDecay = weightDecay, RateFactor = rateFactor,
        };
        _slots = [.. matrices, .. _others.Slots];
    }

    public override IReadOnlyList<ParameterSlot> Slots => _slots;

    protected override void Update(double learningRate, double gradientFactor)
    {
        foreach (var batch in _batches)
            UpdateBatch([.. batch.Where(slot => slot.HasGradient)], learningRate, gradientFactor);
        _others.StepCount = StepCount - 1;
        _others.Step(learningRate * _otherRateFactor, gradientFactor);
    }

    private void UpdateBatch(List<Slot> batch, double learningRate, double gradientFactor)
    {
        if (batch.Count == 0)
            return;
        using var scope = NewDisposeScope();
        var device = batch[0].Parameter.device;
        var matrices = empty(
            [batch.Count, batch[0].Short, batch[0].Long],
            _options.Precision.MayBeBFloat16(device) ? ScalarType.BFloat16 : ScalarType.Float32, device);
        foreach (var (i, slot) in batch.Index())
        {
            using var slotScope = NewDisposeScope();
            matrices[i].copy_(slot.Lying(slot.Follow(gradientFactor, _options)));
        }

        var steps = NewtonSchulz.Orthogonalize(matrices, _options);
        foreach (var (i, slot) in batch.Index())
        {
            using var slotScope = NewDisposeScope();
            var rate = RateOf(slot, learningRate);
            if (KeptBy(slot, rate) is not 1.0 and var kept)
                slot.Parameter.mul_(kept);
            var step = slot.Lying(steps[i]).reshape(slot.Parameter.shape).to(slot.Parameter.dtype);
            slot.Parameter.add_(step, alpha: -rate * slot.Adjustment(_options.RateAdjustment));
            slot.RenewCopy();
        }
    }

    /// <summary>A matrix, or a kernel that is read as one of as many rows as its first dimension says.</summary>
    private sealed class Slot : ParameterSlot
    {
        private readonly long _rows;
        private readonly long _columns;
        private readonly Tensor _momentum;

        public Slot(string name, Parameter parameter, bool decays)
            : base(name, parameter, decays)
        {
            _rows = parameter.shape[0];
            _columns = parameter.numel() / _rows;
            _momentum = AddState("momentum_buffer");
        }

        public long Short => Math.Min(_rows, _columns);

        public long Long => Math.Max(_rows, _columns);

        public bool HasGradient
        {
            get
            {
                using var gradient = Gradient;
                return gradient is not null;
            }
        }

        /// <summary>Takes the gradient into the momentum, and tells where that goes: [rows, columns].</summary>
        public Tensor Follow(double gradientFactor, MuonOptions options)
        {
            using var gradient = Gradient!;
            var g = Scaled(gradient, gradientFactor);
            _momentum.lerp_(g, 1 - options.Momentum);
            return (options.Nesterov ? g.lerp(_momentum, options.Momentum) : _momentum).reshape(_rows, _columns);
        }

        /// <summary>A matrix with no more rows than columns, or such a one as the parameter has it.</summary>
        public Tensor Lying(Tensor matrix) => _rows > _columns ? matrix.t() : matrix;

        /// <summary>What the learning rate is multiplied with.</summary>
        public double Adjustment(MuonRateAdjustment adjustment) => adjustment switch
        {
            MuonRateAdjustment.MatchAdamW => 0.2 * Math.Sqrt(Math.Max(_rows, _columns)),
            _ => Math.Sqrt(Math.Max(1, (double)_rows / _columns)),
        };
    }
}
