namespace MLTransfer.Experiments.Running;

/// <summary>What an experiment is made of, once all is known.</summary>
internal sealed record ExperimentPlan
{
    public required long Seed { get; init; }

    public required SearchSpace SearchSpace { get; init; }

    public required ITuner Tuner { get; init; }

    public required ITrialRunner Runner { get; init; }

    public required IMonitor Monitor { get; init; }

    public required IPruner? Pruner { get; init; }

    /// <summary>Values to try before the tuner chooses any.</summary>
    public required IReadOnlyList<Parameter> Given { get; init; }

    public required TimeSpan? Time { get; init; }

    public required int? Trials { get; init; }

    public required long? Tokens { get; init; }

    public required double? Megabytes { get; init; }

    /// <summary>Between two looks at what a trial uses.</summary>
    public required TimeSpan CheckInterval { get; init; }

    /// <summary>Told what a trial uses; null for nobody.</summary>
    public required IPerformanceMonitor? PerformanceMonitor { get; init; }

    /// <summary>Trials at a time.</summary>
    public required int Concurrent { get; init; }

    /// <summary>Where trials have their folders; null for nowhere.</summary>
    public required string? Folder { get; init; }

    /// <summary>Steps between checkpoints of trainings whose options say nothing.</summary>
    public required int CheckpointSteps { get; init; }
}
