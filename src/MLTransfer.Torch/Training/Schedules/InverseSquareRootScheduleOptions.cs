namespace MLTransfer.Torch.Training.Schedules;

/// <summary>Options of <see cref="LearningRateSchedule.InverseSquareRoot"/>.</summary>
public sealed record InverseSquareRootScheduleOptions : LearningRateScheduleOptions
{
    /// <summary>
    /// Steps after the warm-up in which the rate falls to 1/sqrt(2) of its peak (<c>timescale</c>); null for the warm-up steps, or 10,000
    /// where there are none.
    /// </summary>
    public int? TimeScale { get; init; }

    internal override IReadOnlyList<LearningRateSchedule> Schedules => [LearningRateSchedule.InverseSquareRoot];

    internal override void Check(LearningRateSchedule schedule, double learningRate) =>
        OptionRange.AtLeast(nameof(TimeScale), TimeScale ?? 1, 1);

    internal override double Factor(SchedulePlace place)
    {
        if (place.IsWarmup)
            return place.Warmup;
        double scale = TimeScale ?? (place.WarmupSteps > 0 ? place.WarmupSteps : 10_000);
        return 1 / Math.Sqrt((place.Step + scale - place.WarmupSteps) / scale);
    }
}
