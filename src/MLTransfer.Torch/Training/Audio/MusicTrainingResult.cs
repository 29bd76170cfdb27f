namespace MLTransfer.Torch.Training.Audio;

/// <summary>How a MusicGen's training ended.</summary>
public sealed record MusicTrainingResult : AudioTrainingResult
{
    /// <summary>The loss on the validation rows before the first step, in nats a code.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>The loss on the validation rows with the weights that the model has now.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Every step and evaluation of this run.</summary>
    public required IReadOnlyList<MusicProgress> History { get; init; }
}
