namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Options of AdamW without a schedule (arXiv 2405.15682); names and defaults are those of the package schedulefree.</summary>
/// <remarks>
/// The run's <see cref="EpochTrainingOptions.LearningRateSchedule"/> must be constant; <see cref="EpochTrainingOptions.WarmupSteps"/> is
/// the optimizer's own warm-up, whose step k, from 0, learns at (k + 1) / warm-up steps of the rate.
/// </remarks>
public sealed record ScheduleFreeOptions : OptimizerOptions
{
    /// <summary>The power of the step's number that a step counts with in the mean (<c>r</c>).</summary>
    public double StepPower { get; init; }

    /// <summary>The power of the highest learning rate so far that a step counts with in the mean (<c>weight_lr_power</c>).</summary>
    public double RatePower { get; init; } = 2;

    internal override OptimizerAlgorithm Algorithm => OptimizerAlgorithm.ScheduleFreeAdamW;

    internal override void Check()
    {
        OptionRange.NotNegative(nameof(StepPower), StepPower);
        OptionRange.NotNegative(nameof(RatePower), RatePower);
    }
}
