namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Options of Adafactor (arXiv 1804.04235); names are those of transformers' <c>Adafactor</c>.</summary>
/// <remarks>
/// Defaults are those of transformers' <c>Trainer</c>: the learning rate is the run's, and neither relative nor scaled by parameters.
/// </remarks>
public sealed record AdafactorOptions : OptimizerOptions
{
    /// <summary>Added to squared gradients (the first of <c>eps</c>).</summary>
    public double GradientEpsilon { get; init; } = 1e-30;

    /// <summary>The least root mean square that a parameter counts with where steps are scaled by it (the second of <c>eps</c>).</summary>
    public double ParameterEpsilon { get; init; } = 1e-3;

    /// <summary>Updates with a larger root mean square are scaled down to it (<c>clip_threshold</c>).</summary>
    public double ClipThreshold { get; init; } = 1;

    /// <summary>
    /// The power of the step's number that a new squared gradient counts with: the running mean keeps 1 - t to this power
    /// (<c>decay_rate</c>). Negative.
    /// </summary>
    public double DecayRate { get; init; } = -0.8;

    /// <summary>The share that a running mean of updates keeps, from 0 to less than 1; null for no such mean (<c>beta1</c>).</summary>
    public double? Beta1 { get; init; }

    /// <summary>Whether steps are as large as the root mean square of their parameter (<c>scale_parameter</c>).</summary>
    public bool ScaleParameter { get; init; }

    /// <summary>
    /// Whether the learning rate of step t is min(0.01, 1/sqrt(t)) in place of the run's (<c>relative_step</c>). So that it is clear which
    /// counts, <see cref="TrainingOptions.LearningRate"/> must be 1 then, <see cref="EpochTrainingOptions.LearningRateSchedule"/> constant
    /// and <see cref="EpochTrainingOptions.WarmupSteps"/> 0.
    /// </summary>
    public bool RelativeStep { get; init; }

    /// <summary>Whether relative steps begin with a warm-up, min(1e-6 t, 1/sqrt(t)) (<c>warmup_init</c>).</summary>
    public bool WarmupInitialization { get; init; }

    internal override OptimizerAlgorithm Algorithm => OptimizerAlgorithm.Adafactor;

    internal override void Check()
    {
        OptionRange.NotNegative(nameof(GradientEpsilon), GradientEpsilon);
        OptionRange.NotNegative(nameof(ParameterEpsilon), ParameterEpsilon);
        OptionRange.Positive(nameof(ClipThreshold), ClipThreshold);
        if (!(DecayRate < 0) || double.IsInfinity(DecayRate))
        {
            throw new ArgumentOutOfRangeException(
                nameof(DecayRate), DecayRate, $"{nameof(DecayRate)} must be a finite number below 0, such as -0.8.");
        }

        OptionRange.FromZeroToLessThanOne(nameof(Beta1), Beta1 ?? 0);
        if (WarmupInitialization && !RelativeStep)
        {
            throw new ArgumentException(
                $"{nameof(WarmupInitialization)} is a warm-up of relative steps; it needs {nameof(RelativeStep)}.",
                nameof(WarmupInitialization));
        }
    }
}
