namespace Numbers.Settings;

/// <summary>What the text pipeline's options are set to.</summary>
internal sealed record TextPipeline
{
    /// <summary>A folder; null for Tales.</summary>
    public string? Model { get; init; }

    public string? CompletionColumn { get; init; }

    public int Steps { get; init; } = 3;

    public int BatchSize { get; init; } = 2;

    public double LearningRate { get; init; } = 5e-3;

    public Adapters? Adapters { get; init; }

    public double? Dropout { get; init; }

    public int? TrainableBlocks { get; init; }

    public string[]? FrozenParameters { get; init; }

    public string Packing { get; init; } = "None";

    public int? MaximumLength { get; init; }

    public bool GroupByLength { get; init; }

    public string Precision { get; init; } = "Float32";

    public bool KeepBestModel { get; init; }

    public string DecodingPrecision { get; init; } = "Float32";

    public Decoding Decoding { get; init; } = new() { NewTokens = 8 };

    public string? IdsColumn { get; init; }

    public string? LogProbabilitiesColumn { get; init; }

    public long? Seed { get; init; }
}
