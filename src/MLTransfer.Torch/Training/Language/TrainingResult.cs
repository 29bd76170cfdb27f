namespace MLTransfer.Torch.Training.Language;

/// <summary>How a training run ended.</summary>
public sealed record TrainingResult : EpochTrainingResult
{
    /// <summary>The loss on the validation rows before the first step, in nats a token.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>The loss on the validation rows with the weights that the model has now.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>
    /// What the model that preference tuning ended with makes of the validation pairs; null without such, in other training, and where it
    /// was measured before a run was resumed.
    /// </summary>
    public PreferenceMetrics? ValidationPreferences =>
        History.LastOrDefault(report => report.Step == ModelStep && report.ValidationPreferences is not null)?.ValidationPreferences;

    /// <summary>Every step and evaluation of this run.</summary>
    public required IReadOnlyList<TrainingProgress> History { get; init; }
}
