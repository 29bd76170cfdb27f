namespace Numbers.Settings;

internal sealed record ImageTraining
{
    public long TotalImages { get; init; } = 24;

    public int BatchSize { get; init; } = 4;

    public double LearningRate { get; init; } = 0.002;

    public bool Mirror { get; init; } = true;

    public double? GradientPenaltyWeight { get; init; }

    public int GradientPenaltyInterval { get; init; } = 3;

    public int PathLengthInterval { get; init; } = 2;

    public double StyleMixing { get; init; } = 0.9;

    public double AverageHalfLife { get; init; } = 10_000;

    public double AverageRampUp { get; init; } = 0.05;

    public string Augmentations { get; init; } = "All";

    public double AugmentationProbability { get; init; } = 0.3;

    public long AugmentationRampImages { get; init; } = 100;

    public int FrozenDiscriminatorBlocks { get; init; }

    public int FrozenSynthesisBlocks { get; init; }

    public bool FreezeMapping { get; init; }

    public string Precision { get; init; } = "Float32";

    public long Seed { get; init; } = 42;

    public string? Folder { get; init; }

    public long SampleImages { get; init; }

    /// <summary>Images between two measurements of distances over an untrained discriminator's features; 0 for none at all.</summary>
    public long EvaluationImages { get; init; }

    public long CheckpointImages { get; init; }

    public bool Resume { get; init; }
}
