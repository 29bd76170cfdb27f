namespace Numbers.Settings;

internal sealed record TextTraining
{
    public int Epochs { get; init; } = 3;

    public int MaximumSteps { get; init; }

    public int BatchSize { get; init; } = 8;

    public int Accumulation { get; init; } = 1;

    public double LearningRate { get; init; } = 5e-5;

    public string Schedule { get; init; } = "Linear";

    public int WarmupSteps { get; init; }

    public double WeightDecay { get; init; }

    public double MaximumGradientNorm { get; init; } = 1;

    public string Precision { get; init; } = "Float32";

    public bool GradientCheckpointing { get; init; }

    public bool Shuffle { get; init; } = true;

    public bool GroupByLength { get; init; }

    public long Seed { get; init; } = 42;

    public int EvaluationSteps { get; init; }

    public int EarlyStoppingPatience { get; init; }

    public bool KeepBestModel { get; init; } = true;

    public string? Folder { get; init; }

    public int CheckpointSteps { get; init; }

    public bool Resume { get; init; }
}
