namespace MLTransfer.Torch.Training.Audio;

/// <summary>How a VITS's training ended; a step is an update of both networks.</summary>
public sealed record SpeechTrainingResult : AudioTrainingResult
{
    /// <summary>The mel loss of the validation rows before the first step, where there are such rows.</summary>
    public double? InitialValidationMelLoss { get; init; }

    /// <summary>The mel loss of the validation rows with the weights that the model has, where there are such rows.</summary>
    public double? ValidationMelLoss { get; init; }

    /// <summary>Every step and evaluation of this run.</summary>
    public required IReadOnlyList<SpeechProgress> History { get; init; }
}
