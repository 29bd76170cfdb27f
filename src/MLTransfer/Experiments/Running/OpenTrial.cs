namespace MLTransfer.Experiments.Running;

/// <summary>A trial that has begun, and what it reported.</summary>
/// <param name="settings">The trial.</param>
internal sealed class OpenTrial(TrialSettings settings)
{
    public TrialSettings Settings => settings;

    public List<TrialReport> Reports { get; } = [];

    /// <summary>How far its training was at the last report, so that what comes again after a kill is not counted twice.</summary>
    public long Place { get; set; }

    /// <summary>Whether the last report ended it, and a kill came before that was recorded.</summary>
    public bool IsPruned { get; set; }
}
