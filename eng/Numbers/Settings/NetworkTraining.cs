namespace Numbers.Settings;

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
