namespace MLTransfer.Experiments.Running;

/// <summary>A trial that is under way: takes its reports, and ends it.</summary>
internal sealed class RunningTrial : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly Func<RunningTrial, TrialReport, long, bool> _judge;
    private readonly List<TrialReport> _reports;
    private readonly Lock _lock = new();
    private long _place;

    /// <param name="parameter">What it tries.</param>
    /// <param name="earlier">Reports from before a kill, and the place of the last.</param>
    /// <param name="judge">Takes a report with its place, and says whether the trial goes on.</param>
    /// <param name="cancellationToken">Ends the whole experiment.</param>
    public RunningTrial(
        TrialSettings parameter, (IReadOnlyList<TrialReport> Reports, long Place) earlier,
        Func<RunningTrial, TrialReport, long, bool> judge, CancellationToken cancellationToken)
    {
        (_reports, _place, _judge) = ([.. earlier.Reports], earlier.Place, judge);
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Settings = new TrialSettings(report => Report(report, report.Step))
        {
            TrialId = parameter.TrialId, Parameter = parameter.Parameter, Folder = parameter.Folder, StartedAtUtc = parameter.StartedAtUtc,
        };
    }

    public TrialSettings Settings { get; }

    public CancellationToken CancellationToken => _source.Token;

    public IReadOnlyList<TrialReport> Reports => _reports;

    /// <summary>How it was ended; null where it was not.</summary>
    public (TrialState State, string? Error)? Ending { get; private set; }

    /// <summary>Takes the loss of a training within the trial; the reports of a trial are counted from 1.</summary>
    public bool Observe(int training, int step, double loss) =>
        Report(new TrialReport(_reports.Count + 1, loss), ((long)training << 32) + step);

    public void End(TrialState state, string? error = null)
    {
        lock (_lock)
            Ending ??= (state, error);
        _source.Cancel();
    }

    public void Dispose() => _source.Dispose();

    private bool Report(TrialReport report, long place)
    {
        if (place > _place && Ending is null) // else it comes again after a kill, or nobody waits for it
        {
            _place = place;
            _reports.Add(report);
            if (!_judge(this, report, place))
                End(TrialState.Pruned);
        }

        return Ending is null;
    }
}
