namespace MLTransfer.Torch.Training;

/// <summary>What every kind of run keeps in <c>trainer_state.json</c> of a checkpoint.</summary>
internal abstract record RunState
{
    /// <summary>Identifies data, options and model, so that a run is not resumed with others.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; init; }
}
