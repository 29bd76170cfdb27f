namespace ScaleTable;

/// <summary>
/// What a step of ranks takes: what it takes alone, and then a ring's all-reduce of the gradients, of which each rank sends and receives
/// 2 (p - 1) / p of all bytes in 2 (p - 1) messages a bucket.
/// </summary>
/// <param name="StepSeconds">What a rank takes for its own rows, by itself.</param>
/// <param name="TrainedParameters">Whose gradients are added up.</param>
/// <param name="BytesPerSecond">What two ranks get through between them, in one direction.</param>
/// <param name="Latency">Seconds until a message's first byte is there.</param>
internal sealed record CostModel(double StepSeconds, double TrainedParameters, double BytesPerSecond, double Latency)
{
    private const int BytesOfGradient = 4; // float32
    private const double BucketBytes = 32 << 20;

    private double Bytes => TrainedParameters * BytesOfGradient;

    /// <summary>What adding up takes.</summary>
    public double ExchangeSeconds(int ranks) =>
        2.0 * (ranks - 1) / ranks * Bytes / BytesPerSecond + 2.0 * (ranks - 1) * Latency * Math.Ceiling(Bytes / BucketBytes);

    /// <summary>The share of a step in which ranks compute, each its own rows.</summary>
    public double Efficiency(int ranks) => StepSeconds / (StepSeconds + ExchangeSeconds(ranks));

    /// <summary>How much faster the same rows are through on so many ranks.</summary>
    /// <param name="ranks">Each with its part of the rows that one takes <see cref="StepSeconds"/> for.</param>
    public double SpeedUp(int ranks) => StepSeconds / (StepSeconds / ranks + ExchangeSeconds(ranks));

    /// <summary>The ranks at which the same rows are through fastest.</summary>
    public int BestRanks => Enumerable.Range(1, 4096).MaxBy(SpeedUp);
}
