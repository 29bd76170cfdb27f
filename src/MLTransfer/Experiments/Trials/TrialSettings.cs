namespace MLTransfer.Experiments;

/// <summary>A trial: its number and the values that it tries.</summary>
public sealed class TrialSettings
{
    private readonly Func<TrialReport, bool>? _report;

    /// <summary>A trial that nobody takes reports of.</summary>
    public TrialSettings()
    {
    }

    internal TrialSettings(Func<TrialReport, bool> report) => _report = report;

    /// <summary>Counted from 0.</summary>
    public int TrialId { get; set; }

    /// <summary>The values that the tuner chose.</summary>
    public Parameter Parameter { get; set; } = Parameter.CreateNestedParameter();

    /// <summary>When it began.</summary>
    public DateTime StartedAtUtc { get; set; }

    /// <summary>When it ended; null while it is under way.</summary>
    public DateTime? EndedAtUtc { get; set; }

    /// <summary>
    /// The trial's own folder, for checkpoints and logs: a trial that goes on after a kill finds there what it wrote before. Null where
    /// the experiment has no checkpoint folder and trials run in its own process.
    /// </summary>
    public string? Folder { get; set; }

    /// <summary>Tells the experiment a loss on the way.</summary>
    /// <param name="step">How far the trial is, from 1 on; larger at each report.</param>
    /// <param name="loss">Smaller is better.</param>
    /// <returns>
    /// False where the trial shall end now, since others are better: return from <see cref="ITrialRunner.RunAsync"/> then, or go on to the
    /// next point where its token is looked at.
    /// </returns>
    public bool Report(int step, double loss) => _report?.Invoke(new TrialReport(step, loss)) ?? true;
}
