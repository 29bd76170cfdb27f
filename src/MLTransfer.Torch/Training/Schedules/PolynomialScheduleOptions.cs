namespace MLTransfer.Torch.Training.Schedules;

/// <summary>Options of <see cref="LearningRateSchedule.Polynomial"/>.</summary>
public sealed record PolynomialScheduleOptions : LearningRateScheduleOptions
{
    /// <summary>The power of what is left of the steps (<c>power</c>).</summary>
    public double Power { get; init; } = 1;

    /// <summary>The learning rate at the last step and after it, below the peak (<c>lr_end</c>).</summary>
    public double EndLearningRate { get; init; } = 1e-7;

    internal override IReadOnlyList<LearningRateSchedule> Schedules => [LearningRateSchedule.Polynomial];

    internal override void Check(LearningRateSchedule schedule, double learningRate)
    {
        OptionRange.Positive(nameof(Power), Power);
        OptionRange.NotNegative(nameof(EndLearningRate), EndLearningRate);
        OptionRange.Holds(
            nameof(EndLearningRate), EndLearningRate < learningRate,
            $"{nameof(EndLearningRate)} is {EndLearningRate}; it must be below {nameof(TrainingOptions.LearningRate)}, {learningRate}.");
    }

    internal override double Factor(SchedulePlace place)
    {
        if (place.IsWarmup)
            return place.Warmup;
        var left = place.Step > place.TotalSteps ? 0 : 1 - place.Progress;
        return ((place.LearningRate - EndLearningRate) * Math.Pow(left, Power) + EndLearningRate) / place.LearningRate;
    }
}
