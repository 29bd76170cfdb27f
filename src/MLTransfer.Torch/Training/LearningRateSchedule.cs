namespace MLTransfer.Torch.Training;

/// <summary>How the learning rate changes after its warm-up; the names and formulas of transformers' <c>lr_scheduler_type</c>.</summary>
public enum LearningRateSchedule
{
    /// <summary>Falls in a straight line to 0 at the last step.</summary>
    Linear,

    /// <summary>Falls along half a cosine wave to 0 at the last step (arXiv 1608.03983, without restarts).</summary>
    Cosine,

    /// <summary>Stays (<c>constant_with_warmup</c> where there are warm-up steps).</summary>
    Constant,
}

internal static class LearningRateScheduleFormula
{
    /// <summary>The factor on the peak learning rate for the update after <paramref name="step"/> earlier ones.</summary>
    public static double Factor(this LearningRateSchedule schedule, int step, int warmupSteps, int totalSteps)
    {
        if (step < warmupSteps)
            return (double)step / warmupSteps;
        var progress = (double)(step - warmupSteps) / Math.Max(1, totalSteps - warmupSteps);
        return schedule switch
        {
            LearningRateSchedule.Linear => Math.Max(0, 1 - progress),
            LearningRateSchedule.Cosine => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * progress))),
            LearningRateSchedule.Constant => 1,
            _ => throw new ArgumentOutOfRangeException(nameof(schedule), schedule, "Unknown learning rate schedule."),
        };
    }
}
