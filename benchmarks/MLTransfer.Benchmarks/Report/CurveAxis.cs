namespace MLTransfer.Benchmarks.Report;

/// <summary>What varies along a scaling curve.</summary>
internal enum CurveAxis
{
    BatchSize,
    Length,
    Threads,
}
