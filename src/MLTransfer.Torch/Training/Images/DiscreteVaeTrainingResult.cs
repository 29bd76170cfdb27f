namespace MLTransfer.Torch.Training.Images;

/// <summary>How a discrete VAE's training ended.</summary>
public sealed record DiscreteVaeTrainingResult
{
    /// <summary>Optimizer steps done.</summary>
    public required int Steps { get; init; }

    /// <summary>The step whose weights the codec has: the last, or the one that was best on the validation pictures.</summary>
    public required int ModelStep { get; init; }

    /// <summary>The distance of the validation pictures from what was decoded of their codes before training; null without such
    /// pictures.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>The same with the weights that the codec has.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Whether evaluations without improvement ended it.</summary>
    public required bool StoppedEarly { get; init; }

    /// <summary>Whether it was asked to end before its last step (<c>StopAndKeep</c>).</summary>
    public required bool StoppedOnRequest { get; init; }

    /// <summary>Every step of this run.</summary>
    public required IReadOnlyList<DiscreteVaeProgress> History { get; init; }

    /// <summary>The time that the run took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
