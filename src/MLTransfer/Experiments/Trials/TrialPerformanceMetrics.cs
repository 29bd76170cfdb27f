namespace MLTransfer.Experiments;

/// <summary>What the process of a trial uses.</summary>
public sealed class TrialPerformanceMetrics
{
    /// <summary>The memory of the process (its working set), in megabytes.</summary>
    public double MemoryUsage { get; init; }

    /// <summary>The most of <see cref="MemoryUsage"/> since the trial began.</summary>
    public double? PeakMemoryUsage { get; init; }

    /// <summary>The share of the time of all processors since the last look, from 0 to 1.</summary>
    public double CpuUsage { get; init; }

    /// <summary>The most of <see cref="CpuUsage"/> since the trial began.</summary>
    public double? PeakCpuUsage { get; init; }
}
