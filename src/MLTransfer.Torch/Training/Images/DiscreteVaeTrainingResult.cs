namespace MLTransfer.Torch.Training.Images;

/// <summary>How a discrete VAE's training ended.</summary>
public sealed record DiscreteVaeTrainingResult : EpochTrainingResult
{
    /// <summary>The distance of the validation pictures from what was decoded of their codes before training; null without such
    /// pictures.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>The same with the weights that the codec has.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Every step of this run.</summary>
    public required IReadOnlyList<DiscreteVaeProgress> History { get; init; }
}
