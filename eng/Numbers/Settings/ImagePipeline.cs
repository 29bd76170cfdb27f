namespace Numbers.Settings;

internal sealed record ImagePipeline
{
    /// <summary>A folder; null for Shapes.</summary>
    public string? Model { get; init; }

    public long TotalImages { get; init; } = 16;

    public int BatchSize { get; init; } = 4;

    public double LearningRate { get; init; } = 0.01;

    public double AverageHalfLife { get; init; } = 4;

    public string Precision { get; init; } = "Float32";

    public string? LabelColumn { get; init; }

    public double Truncation { get; init; } = 1;

    public string Noise { get; init; } = "Constant";

    public int GenerationBatchSize { get; init; } = 3;

    public long? Seed { get; init; }
}
