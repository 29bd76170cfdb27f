namespace MLTransfer.Torch.Training.Schedules;

/// <summary>Options of <see cref="LearningRateSchedule.WarmupStableDecay"/>.</summary>
public sealed record WarmupStableDecayScheduleOptions : LearningRateScheduleOptions
{
    /// <summary>Steps in which the rate falls; at least 1, so that it has to be told (<c>num_decay_steps</c>).</summary>
    public int DecaySteps { get; init; }

    /// <summary>
    /// Steps at the peak (<c>num_stable_steps</c>); null for all between warm-up and decay. Steps after the decay are at the minimum.
    /// </summary>
    public int? StableSteps { get; init; }

    /// <summary>How the rate rises (<c>warmup_type</c>).</summary>
    public RampShape WarmupShape { get; init; } = RampShape.Linear;

    /// <summary>How the rate falls (<c>decay_type</c>).</summary>
    public RampShape DecayShape { get; init; } = RampShape.Cosine;

    /// <summary>The lowest learning rate as a part of the peak, from 0 to 1, at which the warm-up starts too
    /// (<c>min_lr_ratio</c>).</summary>
    public double MinimumRate { get; init; }

    /// <summary>Waves of the decay where it is a cosine (<c>num_cycles</c>).</summary>
    public double Cycles { get; init; } = 0.5;

    internal override IReadOnlyList<LearningRateSchedule> Schedules => [LearningRateSchedule.WarmupStableDecay];

    internal override void Check(LearningRateSchedule schedule, double learningRate)
    {
        OptionRange.Holds(
            nameof(DecaySteps), DecaySteps >= 1,
            $"{schedule} needs {nameof(EpochTrainingOptions.ScheduleOptions)} with {nameof(DecaySteps)} of at least 1.");
        OptionRange.AtLeast(nameof(StableSteps), StableSteps ?? 0, 0);
        OptionRange.Defined(nameof(WarmupShape), WarmupShape);
        OptionRange.Defined(nameof(DecayShape), DecayShape);
        OptionRange.Between(nameof(MinimumRate), MinimumRate, 0, 1);
        OptionRange.Positive(nameof(Cycles), Cycles);
    }

    internal override double Factor(SchedulePlace place)
    {
        var stable = StableSteps ?? place.TotalSteps - place.WarmupSteps - DecaySteps;
        var decayed = place.Step - place.WarmupSteps - stable;
        if (place.IsWarmup)
        {
            return AboveMinimum(WarmupShape switch
            {
                RampShape.Linear => place.Warmup,
                RampShape.Cosine => 0.5 * (1 - Math.Cos(Math.PI * place.Warmup)),
                _ => 1 - Math.Sqrt(1 - place.Warmup),
            });
        }

        if (decayed < 0)
            return 1;
        if (decayed >= DecaySteps)
            return MinimumRate;
        var progress = (double)decayed / DecaySteps;
        return AboveMinimum(DecayShape switch
        {
            RampShape.Linear => 1 - progress,
            RampShape.Cosine => 0.5 * (1 + Math.Cos(Math.PI * (Cycles * 2 * progress))),
            _ => 1 - Math.Sqrt(progress),
        });
    }

    private double AboveMinimum(double factor) => Math.Max(0, factor * (1 - MinimumRate) + MinimumRate);
}
