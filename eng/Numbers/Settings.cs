namespace Numbers;

// What Library.cs maps onto the library's own options. Enumerations are given by their names.

/// <summary>A training row of a language model.</summary>
internal sealed record TextRow(int[] Ids, int[] Labels, int[]? Sequences = null)
{
    public TextRow(int[] ids) : this(ids, ids)
    {
    }
}

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

/// <param name="Log">Loss, gradient norm, learning rate and validation loss of each report; NaN where there is none.</param>
/// <param name="Outcome">Steps, step of the model's weights, validation loss at the start and at the end.</param>
internal sealed record TextTrainingRun(IReadOnlyList<double[]> Log, double[] Outcome);

internal sealed record Decoding
{
    public int NewTokens { get; init; } = 24;

    public int MinimumNewTokens { get; init; }

    public bool Sample { get; init; }

    public double Temperature { get; init; } = 1;

    public int TopK { get; init; }

    public double TopP { get; init; } = 1;

    public double MinP { get; init; }

    public double TypicalP { get; init; } = 1;

    public double RepetitionPenalty { get; init; } = 1;

    public int NoRepeatNgramSize { get; init; }

    public int Beams { get; init; } = 1;

    public double LengthPenalty { get; init; } = 1;

    public string EarlyStopping { get; init; } = "Heuristic";

    public int Sequences { get; init; } = 1;

    public string[] StopStrings { get; init; } = [];

    public long? Seed { get; init; }

    public int BatchSize { get; init; } = 8;
}

internal sealed record Continuation(string Text, int[] Ids, float[] LogProbabilities, string Reason, float? Score);

internal sealed record OnnxSettings
{
    public string Precision { get; init; } = "Float32";

    public bool Fused { get; init; }

    public bool SeparateAdapter { get; init; }

    public bool TransformersJs { get; init; }

    public bool WithoutPast { get; init; } = true;

    public bool Check { get; init; }
}

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

internal sealed record NetworkTraining
{
    public string Loss { get; init; } = "MeanSquaredError";

    public string Optimizer { get; init; } = "Adam";

    public double LearningRate { get; init; } = 1e-2;

    public double Momentum { get; init; }

    public double WeightDecay { get; init; }

    public int Epochs { get; init; } = 3;

    public int BatchSize { get; init; } = 8;

    public bool Shuffle { get; init; } = true;

    public int EarlyStoppingPatience { get; init; }

    public bool KeepBestModel { get; init; } = true;

    public long Seed { get; init; } = 3;
}

/// <summary>Adapters of a language model.</summary>
internal sealed record Adapters(int Rank, double Dropout, params string[] Targets)
{
    public double Alpha { get; init; } = 16;

    public bool RankStabilized { get; init; }
}

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

/// <summary>What the network pipeline's options are set to.</summary>
/// <param name="Layers">A name that Library.cs knows.</param>
internal sealed record NetworkPipeline(string Layers)
{
    /// <summary>"features" or "layers" of an ONNX file, or "module" for a class of this program; null for none.</summary>
    public string? Base { get; init; }

    public string? BaseFile { get; init; }

    /// <summary>The operator of an ONNX file's last node that is kept; null for all nodes.</summary>
    public string? BaseOutputOf { get; init; }

    /// <summary>"all", "none", or how many layers are trained.</summary>
    public string Freezing { get; init; } = "all";

    public long[]? InputShape { get; init; }

    public string InputScaling { get; init; } = "ZeroToOne";

    public double ValidationFraction { get; init; }

    public NetworkTraining Training { get; init; } = new();

    public long? Seed { get; init; }
}
