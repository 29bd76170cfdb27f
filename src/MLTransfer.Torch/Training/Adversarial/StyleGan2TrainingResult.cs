namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>How a StyleGAN2's training ended.</summary>
public sealed record StyleGan2TrainingResult
{
    /// <summary>Updates of both networks done.</summary>
    public required int Steps { get; init; }

    /// <summary>Real images shown.</summary>
    public required long Images { get; init; }

    /// <summary>The Frechet distance of the model's images to the real ones at the end, where there is a feature extractor.</summary>
    public double? FrechetDistance { get; init; }

    /// <summary>The kernel distance at the end, where there is a feature extractor.</summary>
    public double? KernelDistance { get; init; }

    /// <summary>Whether it was asked to end before its last step (<c>StopAndKeep</c>).</summary>
    public bool StoppedOnRequest { get; init; }

    /// <summary>Every update of this run.</summary>
    public required IReadOnlyList<StyleGan2Progress> History { get; init; }

    /// <summary>The time that the run took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
