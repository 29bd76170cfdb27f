using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Schedules;

/// <summary>
/// What a schedule can be told beyond warm-up and peak (<c>lr_scheduler_kwargs</c>): a class for each kind of schedule that has such
/// options.
/// </summary>
[JsonDerivedType(typeof(CosineScheduleOptions), "cosine")]
[JsonDerivedType(typeof(PolynomialScheduleOptions), "polynomial")]
[JsonDerivedType(typeof(InverseSquareRootScheduleOptions), "inverse_sqrt")]
[JsonDerivedType(typeof(WarmupStableDecayScheduleOptions), "warmup_stable_decay")]
[JsonDerivedType(typeof(PlateauScheduleOptions), "reduce_lr_on_plateau")]
public abstract record LearningRateScheduleOptions
{
    private protected LearningRateScheduleOptions()
    {
    }

    /// <summary>The schedules that they are for.</summary>
    internal abstract IReadOnlyList<LearningRateSchedule> Schedules { get; }

    /// <exception cref="ArgumentException">An option is out of range or not for the schedule; the message names it.</exception>
    /// <param name="schedule">One of <see cref="Schedules"/>.</param>
    /// <param name="learningRate">The peak.</param>
    internal abstract void Check(LearningRateSchedule schedule, double learningRate);

    /// <summary>The factor on the peak learning rate.</summary>
    internal abstract double Factor(SchedulePlace place);
}
