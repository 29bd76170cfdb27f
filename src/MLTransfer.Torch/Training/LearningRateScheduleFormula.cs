using MLTransfer.Torch.Training.Schedules;

namespace MLTransfer.Torch.Training;

internal static class LearningRateScheduleFormula
{
    private static readonly CosineScheduleOptions s_cosine = new();
    private static readonly PolynomialScheduleOptions s_polynomial = new();
    private static readonly InverseSquareRootScheduleOptions s_inverseSquareRoot = new();
    private static readonly WarmupStableDecayScheduleOptions s_warmupStableDecay = new();
    private static readonly PlateauScheduleOptions s_plateau = new();

    /// <summary>The factor on the peak learning rate for the update after <paramref name="step"/> earlier ones.</summary>
    public static double Factor(
        this LearningRateSchedule schedule, int step, int warmupSteps, int totalSteps, LearningRateScheduleOptions? options = null,
        double learningRate = 1)
    {
        var place = new SchedulePlace(schedule, step, warmupSteps, totalSteps, learningRate);
        if ((options ?? Defaults(schedule)) is { } told)
            return told.Factor(place);
        if (place.IsWarmup)
            return place.Warmup;
        return schedule == LearningRateSchedule.Linear ? Math.Max(0, 1 - place.Progress) : 1;
    }

    /// <exception cref="ArgumentException">The options are not for the schedule, or lacking, or out of range.</exception>
    public static void Check(this LearningRateSchedule schedule, LearningRateScheduleOptions? options, double learningRate)
    {
        OptionRange.Defined(nameof(EpochTrainingOptions.LearningRateSchedule), schedule);
        OptionRange.Holds(
            nameof(EpochTrainingOptions.ScheduleOptions), options is null || options.Schedules.Contains(schedule),
            $"{nameof(EpochTrainingOptions.ScheduleOptions)} is a {options?.GetType().Name}, which is for "
            + $"{string.Join(" and ", options?.Schedules ?? [])}; {nameof(EpochTrainingOptions.LearningRateSchedule)} is {schedule}.");

        (options ?? Defaults(schedule))?.Check(schedule, learningRate);
    }

    private static LearningRateScheduleOptions? Defaults(LearningRateSchedule schedule) => schedule switch
    {
        LearningRateSchedule.Cosine or LearningRateSchedule.CosineWithRestarts or LearningRateSchedule.CosineWithMinimum
            or LearningRateSchedule.CosineWarmupWithMinimum => s_cosine,
        LearningRateSchedule.Polynomial => s_polynomial,
        LearningRateSchedule.InverseSquareRoot => s_inverseSquareRoot,
        LearningRateSchedule.WarmupStableDecay => s_warmupStableDecay,
        LearningRateSchedule.ReduceOnPlateau => s_plateau,
        _ => null,
    };
}
