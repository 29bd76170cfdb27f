namespace MLTransfer.Torch.Training.Language;

/// <summary>How a training run ended.</summary>
public sealed record TrainingResult : EpochTrainingResult
{
    /// <summary>The loss on the validation rows before the first step, in nats a token.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>The loss on the validation rows with the weights that the model has now.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Every step and evaluation of this run.</summary>
    public required IReadOnlyList<TrainingProgress> History { get; init; }
}
