namespace MLTransfer.Torch.Training.Audio;

/// <summary>How a VITS's training ended.</summary>
public sealed record SpeechTrainingResult
{
    /// <summary>Steps done, each an update of both networks.</summary>
    public required int Steps { get; init; }

    /// <summary>The step whose weights the model has: the last, or the best one.</summary>
    public required int ModelStep { get; init; }

    /// <summary>The mel loss of the validation rows before the first step, where there are such rows.</summary>
    public double? InitialValidationMelLoss { get; init; }

    /// <summary>The mel loss of the validation rows with the weights that the model has, where there are such rows.</summary>
    public double? ValidationMelLoss { get; init; }

    /// <summary>Whether evaluations without improvement ended it.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>Whether it was asked to end before its last step (<c>StopAndKeep</c>).</summary>
    public bool StoppedOnRequest { get; init; }

    /// <summary>Every step and evaluation of this run.</summary>
    public required IReadOnlyList<SpeechProgress> History { get; init; }

    /// <summary>The time that the run took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
