namespace MLTransfer.Torch.Training.Images;

/// <summary>How the training of a network that writes codes of pictures ended.</summary>
public sealed record TextToImageTrainingResult : EpochTrainingResult
{
    /// <summary>The loss on the validation rows before the first step.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>The loss on the validation rows with the weights that the model has now.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Every step and evaluation of this run.</summary>
    public required IReadOnlyList<TextToImageProgress> History { get; init; }
}
