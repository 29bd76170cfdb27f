namespace MLTransfer.Torch.Training.Audio;

/// <summary>How a codec's training ended.</summary>
public sealed record EnCodecTrainingResult : EpochTrainingResult
{
    /// <summary>The difference of mel spectrograms on the validation sounds before training; null without such sounds.</summary>
    public double? InitialMelLoss { get; init; }

    /// <summary>The same with the weights that the codec has.</summary>
    public double? MelLoss { get; init; }

    /// <summary>Every step of this run.</summary>
    public required IReadOnlyList<EnCodecProgress> History { get; init; }
}
