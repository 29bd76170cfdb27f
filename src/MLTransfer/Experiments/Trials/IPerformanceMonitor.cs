namespace MLTransfer.Experiments;

/// <summary>Is told what the process of a trial uses while the trial runs.</summary>
public interface IPerformanceMonitor
{
    /// <summary>Called at each look, on a thread of its own.</summary>
    /// <param name="trialSettings">The trial.</param>
    /// <param name="metrics">What its process uses.</param>
    /// <param name="trialCancellationTokenSource">Ends the trial, which has failed then.</param>
    void OnPerformanceMetricsUpdated(
        TrialSettings trialSettings, TrialPerformanceMetrics metrics, CancellationTokenSource trialCancellationTokenSource);
}
