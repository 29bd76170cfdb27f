namespace MLTransfer.Torch.Training.Schedules;

/// <summary>
/// Options of <see cref="LearningRateSchedule.ReduceOnPlateau"/>; names and defaults are those of torch's <c>ReduceLROnPlateau</c>, of
/// which a loss has the mode <c>min</c>.
/// </summary>
public sealed record PlateauScheduleOptions : LearningRateScheduleOptions
{
    /// <summary>What the rate is multiplied with, above 0 and below 1 (<c>factor</c>).</summary>
    public double Reduction { get; init; } = 0.1;

    /// <summary>Evaluations without a better loss that are let pass; the next one reduces the rate (<c>patience</c>).</summary>
    public int Patience { get; init; } = 10;

    /// <summary>By how much a loss must be below the best to be better (<c>threshold</c>).</summary>
    public double Threshold { get; init; } = 1e-4;

    /// <summary>
    /// Whether <see cref="Threshold"/> is a difference of losses (<c>threshold_mode</c> <c>abs</c>), else a part of the best one
    /// (<c>rel</c>).
    /// </summary>
    public bool IsThresholdAbsolute { get; init; }

    /// <summary>Evaluations after a reduction in which bad ones are not counted (<c>cooldown</c>).</summary>
    public int Cooldown { get; init; }

    /// <summary>The lowest learning rate (<c>min_lr</c>).</summary>
    public double MinimumLearningRate { get; init; }

    /// <summary>A reduction of the rate by no more than this is not made (<c>eps</c>).</summary>
    public double Epsilon { get; init; } = 1e-8;

    internal override IReadOnlyList<LearningRateSchedule> Schedules => [LearningRateSchedule.ReduceOnPlateau];

    internal override void Check(LearningRateSchedule schedule, double learningRate)
    {
        OptionRange.Positive(nameof(Reduction), Reduction);
        OptionRange.FromZeroToLessThanOne(nameof(Reduction), Reduction);
        OptionRange.AtLeast(nameof(Patience), Patience, 0);
        OptionRange.NotNegative(nameof(Threshold), Threshold);
        OptionRange.AtLeast(nameof(Cooldown), Cooldown, 0);
        OptionRange.Between(nameof(MinimumLearningRate), MinimumLearningRate, 0, learningRate);
        OptionRange.NotNegative(nameof(Epsilon), Epsilon);
    }

    /// <summary>What evaluations make of it comes on top; see <see cref="PlateauState"/>.</summary>
    internal override double Factor(SchedulePlace place) => place.IsWarmup ? place.Warmup : 1;
}
