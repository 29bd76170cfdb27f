namespace MLTransfer.Benchmarks.Report;

/// <summary>Everything that a run measured; the content of <c>report.json</c>.</summary>
internal sealed record BenchmarkReport
{
    public required DateTimeOffset Started { get; init; }

    public required double DurationSeconds { get; init; }

    public required bool Quick { get; init; }

    public required Machine Machine { get; init; }

    public required Peaks PeaksFirst { get; init; }

    public required Peaks PeaksLast { get; init; }

    public required IReadOnlyList<TrainingResult> Training { get; init; }

    public required IReadOnlyList<StepPart> TrainingParts { get; init; }

    public required IReadOnlyList<MemoryMeasurement> Memory { get; init; }

    public required IReadOnlyList<DecodingResult> Decoding { get; init; }

    public required IReadOnlyList<CurvePoint> Curves { get; init; }
}
