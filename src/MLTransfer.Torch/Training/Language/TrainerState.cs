namespace MLTransfer.Torch.Training.Language;

/// <summary>What the training of a language model knows besides weights and optimizer state; kept in <c>trainer_state.json</c> of a checkpoint.</summary>
internal sealed record TrainerState : RunState
{
    public double? InitialValidationLoss { get; init; }

    /// <summary>Of the last evaluation.</summary>
    public double? LastValidationLoss { get; init; }

    public double? BestValidationLoss { get; init; }

    public int BestStep { get; init; }

    public int EvaluationsWithoutImprovement { get; init; }
}
