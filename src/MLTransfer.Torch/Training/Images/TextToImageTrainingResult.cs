namespace MLTransfer.Torch.Training.Images;

/// <summary>How the training of a network that writes codes of pictures ended.</summary>
public sealed record TextToImageTrainingResult
{
    /// <summary>Optimizer steps done.</summary>
    public required int Steps { get; init; }

    /// <summary>The step whose weights the model has: the last, or the best one.</summary>
    public required int ModelStep { get; init; }

    /// <summary>Whether <see cref="EpochTrainingOptions.EarlyStoppingPatience"/> ended the run.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>Whether it was asked to end before its last step (<c>StopAndKeep</c>).</summary>
    public bool StoppedOnRequest { get; init; }

    /// <summary>The loss on the validation rows before the first step.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>The loss on the validation rows with the weights that the model has now.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Every step and evaluation of this run.</summary>
    public required IReadOnlyList<TextToImageProgress> History { get; init; }

    /// <summary>The time that the run took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
