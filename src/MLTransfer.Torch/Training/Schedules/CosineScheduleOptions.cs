namespace MLTransfer.Torch.Training.Schedules;

/// <summary>
/// Options of the four cosine schedules: how many waves, and of <see cref="LearningRateSchedule.CosineWithMinimum"/> and
/// <see cref="LearningRateSchedule.CosineWarmupWithMinimum"/> to which rate.
/// </summary>
public sealed record CosineScheduleOptions : LearningRateScheduleOptions
{
    /// <summary>
    /// Waves in the run, or of restarts half waves (<c>num_cycles</c>); null for 0.5, of restarts 1. More than half a wave rises again.
    /// </summary>
    public double? Cycles { get; init; }

    /// <summary>The lowest learning rate (<c>min_lr</c>); this or <see cref="MinimumRate"/> for the two that have one.</summary>
    public double? MinimumLearningRate { get; init; }

    /// <summary>The lowest learning rate as a part of the peak, from 0 to 1 (<c>min_lr_rate</c>).</summary>
    public double? MinimumRate { get; init; }

    /// <summary>
    /// The part of the peak that <see cref="LearningRateSchedule.CosineWarmupWithMinimum"/> starts at, from 0 to 1
    /// (<c>warmup_lr_rate</c>); null for that of a line through 0.
    /// </summary>
    public double? WarmupStart { get; init; }

    internal override IReadOnlyList<LearningRateSchedule> Schedules =>
        [LearningRateSchedule.Cosine, LearningRateSchedule.CosineWithRestarts, LearningRateSchedule.CosineWithMinimum,
            LearningRateSchedule.CosineWarmupWithMinimum];

    internal override void Check(LearningRateSchedule schedule, double learningRate)
    {
        OptionRange.Positive(nameof(Cycles), Cycles ?? 1);
        OptionRange.Between(nameof(MinimumRate), MinimumRate ?? 0, 0, 1);
        OptionRange.Between(nameof(WarmupStart), WarmupStart ?? 0, 0, 1);
        if (MinimumLearningRate is { } minimum)
        {
            OptionRange.Positive(nameof(TrainingOptions.LearningRate), learningRate);
            OptionRange.Between(nameof(MinimumLearningRate), minimum, 0, learningRate);
        }

        var hasMinimum = schedule is LearningRateSchedule.CosineWithMinimum or LearningRateSchedule.CosineWarmupWithMinimum;
        var told = (MinimumRate is null ? 0 : 1) + (MinimumLearningRate is null ? 0 : 1);
        OptionRange.Holds(
            nameof(MinimumRate), told == (hasMinimum ? 1 : 0),
            hasMinimum ? $"{schedule} needs {nameof(EpochTrainingOptions.ScheduleOptions)} with either {nameof(MinimumRate)} or "
                + $"{nameof(MinimumLearningRate)}."
                : $"{nameof(MinimumRate)} and {nameof(MinimumLearningRate)} are not for {schedule}, which falls to 0; "
                + $"{LearningRateSchedule.CosineWithMinimum} has a minimum.");
        OptionRange.Holds(
            nameof(WarmupStart), WarmupStart is null || schedule == LearningRateSchedule.CosineWarmupWithMinimum,
            $"{nameof(WarmupStart)} is for {LearningRateSchedule.CosineWarmupWithMinimum} only.");
    }

    internal override double Factor(SchedulePlace place)
    {
        var minimum = MinimumRate ?? MinimumLearningRate / place.LearningRate ?? 0;
        return place.Schedule switch
        {
            LearningRateSchedule.CosineWarmupWithMinimum when place.IsWarmup => WarmupStart is { } start
                ? start + (1 - start) * place.Step / Math.Max(1, place.WarmupSteps - 1) : (place.Step + 1.0) / place.WarmupSteps,
            LearningRateSchedule.CosineWarmupWithMinimum => Wave((place with { Step = place.Step + 1 }).Progress, minimum),
            _ when place.IsWarmup => place.Warmup,
            LearningRateSchedule.CosineWithRestarts => place.Progress >= 1 ? 0
                : Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * ((Cycles ?? 1) * place.Progress % 1)))),
            _ => Wave(place.Progress, minimum),
        };
    }

    private double Wave(double progress, double minimum)
    {
        var factor = 0.5 * (1 + Math.Cos(Math.PI * ((Cycles ?? 0.5) * 2 * progress)));
        return Math.Max(0, factor * (1 - minimum) + minimum);
    }
}
