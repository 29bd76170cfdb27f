namespace MLTransfer.Torch.Training.Audio;

/// <summary>How a codec's training ended.</summary>
public sealed record EnCodecTrainingResult
{
    /// <summary>Optimizer steps done.</summary>
    public required int Steps { get; init; }

    /// <summary>The step whose weights the codec has: the last, or the one that was best on the validation sounds.</summary>
    public required int ModelStep { get; init; }

    /// <summary>The difference of mel spectrograms on the validation sounds before training; null without such sounds.</summary>
    public double? InitialMelLoss { get; init; }

    /// <summary>The same with the weights that the codec has.</summary>
    public double? MelLoss { get; init; }

    /// <summary>Whether evaluations without improvement ended it.</summary>
    public required bool StoppedEarly { get; init; }

    /// <summary>Whether it was asked to end before its last step (<c>StopAndKeep</c>).</summary>
    public required bool StoppedOnRequest { get; init; }

    /// <summary>Every step of this run.</summary>
    public required IReadOnlyList<EnCodecProgress> History { get; init; }

    /// <summary>The time that the run took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
