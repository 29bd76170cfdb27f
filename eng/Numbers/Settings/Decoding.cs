namespace Numbers.Settings;

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
