namespace MLTransfer.Torch.Training;

/// <summary>How a training by <see cref="EpochTrainingOptions"/> ended.</summary>
public abstract record EpochTrainingResult
{
    /// <summary>Optimizer steps done.</summary>
    public required int Steps { get; init; }

    /// <summary>The step whose weights the model has: the last, or the one that was best on the validation rows.</summary>
    public required int ModelStep { get; init; }

    /// <summary>Whether <see cref="EpochTrainingOptions.EarlyStoppingPatience"/> ended the run.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>Whether it was asked to end before its last step (<c>StopAndKeep</c>).</summary>
    public bool StoppedOnRequest { get; init; }

    /// <summary>The time that the run took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
