namespace MLTransfer.Experiments;

/// <summary>Is told how an experiment goes on.</summary>
public interface IMonitor
{
    /// <summary>A trial begins.</summary>
    void ReportRunningTrial(TrialSettings settings);

    /// <summary>A trial ended with a loss, or was pruned or skipped: <see cref="TrialResult.State"/> tells.</summary>
    void ReportCompletedTrial(TrialResult result);

    /// <summary>A trial is better than all before it.</summary>
    void ReportBestTrial(TrialResult result);

    /// <summary>A trial failed.</summary>
    void ReportFailTrial(TrialSettings settings, Exception? exception = null);
}
