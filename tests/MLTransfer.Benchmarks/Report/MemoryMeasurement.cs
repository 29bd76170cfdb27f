namespace MLTransfer.Benchmarks.Report;

/// <summary>The memory and speed of a process that only trains.</summary>
internal sealed record MemoryMeasurement
{
    public required string Model { get; init; }

    public required string Variant { get; init; }

    public required int BatchSize { get; init; }

    public required int Length { get; init; }

    public required int Steps { get; init; }

    public required int Threads { get; init; }

    /// <summary>The most resident memory, of the whole process.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>Resident memory after the 10th step; null for shorter runs.</summary>
    public required long? BytesAfterStep10 { get; init; }

    public required long BytesAfterLastStep { get; init; }

    public required Spread StepSeconds { get; init; }

    /// <summary>What another stack needs, in words.</summary>
    public string? Reference { get; init; }

    public long? GrowthBytes => BytesAfterLastStep - BytesAfterStep10;

    public double TokensPerSecond => BatchSize * Length / StepSeconds.Median;
}
