using MLTransfer.Torch.Training.Schedules;

namespace MLTransfer.Torch.Training;

/// <summary>How long a run is, and after which steps it does what. Steps are counted from 1 here.</summary>
internal sealed record RunPlan
{
    public required int TotalSteps { get; init; }

    /// <summary>The learning rate of the step after so many earlier ones.</summary>
    public required Func<int, double> LearningRate { get; init; }

    /// <summary>What an evaluation's loss makes of a learning rate that losses decide on; null for one that they do not.</summary>
    public Func<PlateauState, double, PlateauState>? Plateau { get; init; }

    /// <summary>What intervals are counted in: 1 for steps, the rows of a step for rows.</summary>
    public int AmountPerStep { get; init; } = 1;

    /// <summary>Whether there is anything to evaluate with; the last step is evaluated in any case then.</summary>
    public bool HasEvaluation { get; init; }

    /// <summary>Whether the weights of the start are evaluated too.</summary>
    public bool EvaluatesStart { get; init; }

    /// <summary>Between two evaluations; 0 for the last step alone.</summary>
    public long EvaluationInterval { get; init; }

    /// <summary>Between two answers to samples; null for <see cref="EvaluationInterval"/>.</summary>
    public long? AnswerInterval { get; init; }

    /// <summary>Between two saved states of the run; 0 for none at all.</summary>
    public long SaveInterval { get; init; }

    /// <summary>Evaluations in a row without a better loss after which the run stops; 0 for never.</summary>
    public int Patience { get; init; }

    /// <summary>Whether the run ends with the best of the weights that were evaluated.</summary>
    public bool KeepsBest { get; init; }

    /// <summary>For runs that go through their rows in epochs.</summary>
    /// <exception cref="ArgumentException">There are more steps than a number can hold, or early stopping lacks validation
    /// rows.</exception>
    public static RunPlan Of(EpochTrainingOptions options, RowSchedule rows, bool hasValidation, bool evaluatesStart)
    {
        if (!hasValidation && options.EarlyStoppingPatience > 0)
            throw new ArgumentException($"{nameof(options.EarlyStoppingPatience)} needs validation rows.", nameof(options));
        if (!hasValidation && options.LearningRateSchedule == LearningRateSchedule.ReduceOnPlateau)
        {
            throw new ArgumentException(
                $"{nameof(options.LearningRateSchedule)} {options.LearningRateSchedule} needs validation rows.", nameof(options));
        }

        var steps = options.MaximumSteps > 0 ? options.MaximumSteps : (long)rows.StepsPerEpoch * options.NumberOfEpochs;
        if (steps > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), steps,
                $"{nameof(options.NumberOfEpochs)} of {options.NumberOfEpochs} takes more than {int.MaxValue} steps.");
        }

        return new RunPlan
        {
            TotalSteps = (int)steps,
            LearningRate = step => options.LearningRate * options.RateFactor(step, (int)steps),
            Plateau = options.LearningRateSchedule != LearningRateSchedule.ReduceOnPlateau ? null : (state, loss) => state.After(
                loss, (PlateauScheduleOptions?)options.ScheduleOptions ?? new(), options.LearningRate),
            HasEvaluation = hasValidation,
            EvaluatesStart = evaluatesStart,
            EvaluationInterval = options.EvaluationSteps > 0 ? options.EvaluationSteps : rows.StepsPerEpoch,
            SaveInterval = options.CheckpointSteps,
            Patience = options.EarlyStoppingPatience,
            KeepsBest = options.KeepBestModel,
        };
    }

    /// <summary>Whether weights are evaluated after a step.</summary>
    public bool EvaluatesAfter(int step) => HasEvaluation && IsDue(step, EvaluationInterval);

    /// <summary>Whether samples are answered after a step.</summary>
    public bool AnswersAfter(int step) => IsDue(step, AnswerInterval ?? EvaluationInterval);

    /// <summary>Whether the run is saved after a step.</summary>
    public bool SavesAfter(int step) => SaveInterval > 0 && IsDue(step, SaveInterval);

    /// <summary>Whether a step is the last, or the first to reach another multiple of an interval.</summary>
    public bool IsDue(int step, long interval) => step == TotalSteps
        || interval > 0 && (long)step * AmountPerStep / interval > (long)(step - 1) * AmountPerStep / interval;
}
