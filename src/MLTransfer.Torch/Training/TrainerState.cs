namespace MLTransfer.Torch.Training;

/// <summary>What a run knows besides weights and optimizer state; kept in <c>trainer_state.json</c> of a checkpoint.</summary>
internal sealed record TrainerState
{
    /// <summary>Identifies data, options and model, so that a run is not resumed with others.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; init; }

    public double? InitialValidationLoss { get; init; }

    /// <summary>Of the last evaluation.</summary>
    public double? LastValidationLoss { get; init; }

    public double? BestValidationLoss { get; init; }

    public int BestStep { get; init; }

    public int EvaluationsWithoutImprovement { get; init; }
}
