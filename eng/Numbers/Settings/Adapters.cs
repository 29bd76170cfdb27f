namespace Numbers.Settings;

/// <summary>Adapters of a language model.</summary>
internal sealed record Adapters(int Rank, double Dropout, params string[] Targets)
{
    public double Alpha { get; init; } = 16;

    public bool RankStabilized { get; init; }
}
