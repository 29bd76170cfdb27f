namespace MLTransfer.Torch.Training;

/// <summary>
/// How the learning rate changes after its warm-up; the names and formulas of transformers' <c>lr_scheduler_type</c>. What
/// <see cref="EpochTrainingOptions.ScheduleOptions"/> can say of each is in namespace <c>Schedules</c>.
/// </summary>
public enum LearningRateSchedule
{
    /// <summary>Falls in a straight line to 0 at the last step.</summary>
    Linear,

    /// <summary>
    /// Falls along half a cosine wave to 0 at the last step (arXiv 1608.03983, without restarts), or along as much of one as
    /// <see cref="Schedules.CosineScheduleOptions"/> say.
    /// </summary>
    Cosine,

    /// <summary>Stays (<c>constant_with_warmup</c> where there are warm-up steps).</summary>
    Constant,

    /// <summary>
    /// Falls along half a cosine wave to 0 as often as <see cref="Schedules.CosineScheduleOptions"/> say, once where they do not, and
    /// starts anew at the peak each time (arXiv 1608.03983; <c>cosine_with_restarts</c>).
    /// </summary>
    CosineWithRestarts,

    /// <summary>Falls to a rate of <see cref="Schedules.PolynomialScheduleOptions"/> by a power of what is left.</summary>
    Polynomial,

    /// <summary>Falls by the square root of the steps (<c>inverse_sqrt</c>); see
    /// <see cref="Schedules.InverseSquareRootScheduleOptions"/>.</summary>
    InverseSquareRoot,

    /// <summary>
    /// As <see cref="Cosine"/>, but to a rate of <see cref="Schedules.CosineScheduleOptions"/> (<c>cosine_with_min_lr</c>).
    /// </summary>
    CosineWithMinimum,

    /// <summary>
    /// As <see cref="CosineWithMinimum"/>, but with steps counted from 1, so that the first one learns and the last one learns at the
    /// minimum (<c>cosine_warmup_with_min_lr</c>).
    /// </summary>
    CosineWarmupWithMinimum,

    /// <summary>
    /// Rises, stays and falls at the end (arXiv 2404.06395; <c>warmup_stable_decay</c>); see
    /// <see cref="Schedules.WarmupStableDecayScheduleOptions"/>.
    /// </summary>
    WarmupStableDecay,

    /// <summary>
    /// Stays until the validation loss falls no more, and is made smaller then (<c>reduce_lr_on_plateau</c>); see
    /// <see cref="Schedules.PlateauScheduleOptions"/>. Needs validation rows. The evaluation before the first step does not count.
    /// </summary>
    ReduceOnPlateau,
}
