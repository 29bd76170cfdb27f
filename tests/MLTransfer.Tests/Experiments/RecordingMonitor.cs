using MLTransfer.Experiments;

namespace MLTransfer.Tests.Experiments;

/// <summary>Keeps what it is told, as <c>kind number</c>.</summary>
internal sealed class RecordingMonitor : IMonitor
{
    public List<string> Events { get; } = [];

    /// <summary>Called when a trial begins.</summary>
    public Action<TrialSettings>? Begins { get; init; }

    public void ReportRunningTrial(TrialSettings settings)
    {
        Events.Add($"running {settings.TrialId}");
        Begins?.Invoke(settings);
    }

    public void ReportCompletedTrial(TrialResult result) => Events.Add($"{result.State} {result.TrialSettings.TrialId}");

    public void ReportBestTrial(TrialResult result) => Events.Add($"best {result.TrialSettings.TrialId}");

    public void ReportFailTrial(TrialSettings settings, Exception? exception = null) =>
        Events.Add($"failed {settings.TrialId} {exception?.GetType().Name}");
}
