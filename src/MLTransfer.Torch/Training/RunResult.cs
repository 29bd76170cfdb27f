namespace MLTransfer.Torch.Training;

/// <summary>How a run ended.</summary>
/// <param name="State">After the last step.</param>
/// <param name="ModelStep">The step whose weights the model has: the last, or the best one.</param>
/// <param name="History">All reports, without those of an interrupted run that it went on from.</param>
/// <param name="Elapsed">The time that it took.</param>
internal sealed record RunResult<TReport>(
    RunState State, int ModelStep, IReadOnlyList<TReport> History, TimeSpan Elapsed)
{
    /// <summary>Whether evaluations without improvement ended it.</summary>
    public required bool StoppedEarly { get; init; }

    /// <summary>Whether it was asked to end before its last step.</summary>
    public required bool StoppedOnRequest { get; init; }

    /// <summary>The loss on the validation rows with the weights that the model has; null where it was not measured.</summary>
    public double? ValidationLoss => ModelStep == State.Step ? State.LastValidationLoss : State.BestValidationLoss;
}
