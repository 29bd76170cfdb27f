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

    /// <summary>The same at the end of the 10th step; null for runs that end there.</summary>
    public required long? PeakBytesAtStep10 { get; init; }

    public required Spread StepSeconds { get; init; }

    /// <summary>What another stack needs, in words.</summary>
    public string? Reference { get; init; }

    public long? GrowthBytes => PeakBytes - PeakBytesAtStep10;

    public double TokensPerSecond => BatchSize * Length / StepSeconds.Median;
}
