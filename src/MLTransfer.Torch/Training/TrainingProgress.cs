namespace MLTransfer.Torch.Training;

/// <summary>The state of a training run after an optimizer step, or at an evaluation.</summary>
public sealed record TrainingProgress
{
    /// <summary>Optimizer steps done.</summary>
    public required int Step { get; init; }

    /// <summary>Optimizer steps in all.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Times the data was gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>
    /// The cross-entropy of the step in nats: its sum over predicted tokens divided by the labels that count, as transformers reports it.
    /// Null at the evaluation before the first step.
    /// </summary>
    public double? Loss { get; init; }

    /// <summary>The Euclidean norm of the gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The mean cross-entropy on the validation rows, in nats, where they were evaluated after this step.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Input tokens trained on a second, padding left out, over the run so far.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Time since the start of this run.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>An estimate of the time left.</summary>
    public TimeSpan Remaining { get; init; }
}
