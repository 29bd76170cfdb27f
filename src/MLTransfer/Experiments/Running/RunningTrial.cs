namespace MLTransfer.Experiments.Running;

/// <summary>A trial that is under way: takes its reports, and ends it.</summary>
internal sealed class RunningTrial : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly Func<OpenTrial, TrialReport, long, bool> _judge;
    private readonly OpenTrial _trial;
    private readonly Lock _lock = new();

    /// <param name="trial">What it tries, and what it reported before a kill.</param>
    /// <param name="folder">Its own; null for none.</param>
    /// <param name="judge">Takes a report with its place, and says whether the trial goes on.</param>
    /// <param name="cancellationToken">Ends the whole experiment.</param>
    public RunningTrial(
        OpenTrial trial, string? folder, Func<OpenTrial, TrialReport, long, bool> judge, CancellationToken cancellationToken)
    {
        (_trial, _judge) = (trial, judge);
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Settings = new TrialSettings(report => Report(report, report.Step))
        {
            TrialId = trial.Settings.TrialId, Parameter = trial.Settings.Parameter, StartedAtUtc = trial.Settings.StartedAtUtc,
            Folder = folder,
        };
        if (trial.IsPruned)
            End(TrialState.Pruned);
    }

    public TrialSettings Settings { get; }

    public CancellationToken CancellationToken => _source.Token;

    public IReadOnlyList<TrialReport> Reports => _trial.Reports;

    /// <summary>How far its training was at the last report.</summary>
    public long Place => _trial.Place;

    /// <summary>The tokens that language models were trained on so far.</summary>
    public long Tokens { get; set; }

    /// <summary>The most that its process used of memory and of the processors' time; null where that was not looked at.</summary>
    public (double Megabytes, double? Cpu)? Peaks { get; set; }

    /// <summary>How it was ended; null where it was not.</summary>
    public (TrialState State, string? Error)? Ending { get; private set; }

    /// <summary>Takes the loss of a training within the trial; the reports of a trial are counted from 1.</summary>
    public bool Observe(int training, int step, double loss) =>
        Report(new TrialReport(_trial.Reports.Count + 1, loss), ((long)training << 32) + step);

    /// <summary>Takes a report.</summary>
    /// <returns>Whether the trial goes on.</returns>
    public bool Report(TrialReport report, long place)
    {
        // Else it comes again after a kill, or nobody waits for it.
        if (place > _trial.Place && Ending is null && !_judge(_trial, report, place))
            End(TrialState.Pruned);
        return Ending is null;
    }

    public void End(TrialState state, string? error = null)
    {
        lock (_lock)
            Ending ??= (state, error);
        _source.Cancel();
    }

    public void Dispose() => _source.Dispose();
}
