namespace MLTransfer.Experiments.Running;

/// <summary>All that happened in an experiment so far, in the order in which tuner and pruner are told of it.</summary>
/// <param name="plan">Whose tuner and pruner.</param>
/// <param name="journal">What keeps it; null for nothing.</param>
internal sealed class TrialHistory(ExperimentPlan plan, TrialJournal? journal)
{
    private readonly List<TrialResult> _results = [];
    private readonly Dictionary<int, (TrialSettings Settings, List<TrialReport> Reports, long Place)> _open = [];
    private int _given;

    /// <summary>The trials that ended.</summary>
    public IReadOnlyList<TrialResult> Results => _results;

    /// <summary>The best completed trial; null where there is none.</summary>
    public TrialResult? Best { get; private set; }

    /// <summary>The number of the next trial.</summary>
    public int Next { get; private set; }

    /// <summary>The time of the trials that ended.</summary>
    public TimeSpan Elapsed => TimeSpan.FromMilliseconds(_results.Sum(result => result.DurationInMilliseconds));

    /// <summary>The tokens of the trials that ended.</summary>
    public long Tokens => _results.Sum(result => result.Tokens);

    /// <summary>Tells tuner and pruner all that the journal has.</summary>
    /// <returns>A trial that was under way when the journal ends, with its reports; null for none.</returns>
    public (TrialSettings Settings, (IReadOnlyList<TrialReport> Reports, long Place) Earlier)? Replay()
    {
        foreach (var line in journal?.Lines ?? [])
        {
            switch (line)
            {
                case JournalLine.Start start:
                    if (start.IsGiven)
                        _given++;
                    else
                        plan.Tuner.Propose(start.Settings); // it comes to the state that it had
                    Open(start.Settings);
                    break;
                case JournalLine.Report report:
                    Take(Find(report.Trial).Settings, report.Value, report.Place);
                    break;
                case JournalLine.End { Result: var result }:
                    var (settings, reports, _) = Find(result.TrialSettings.TrialId);
                    settings.EndedAtUtc = result.TrialSettings.EndedAtUtc;
                    (result.TrialSettings, result.Reports) = (settings, reports);
                    Take(result);
                    break;
            }
        }

        return _open.Values.Select(entry => ((TrialSettings, (IReadOnlyList<TrialReport>, long))?)(
            entry.Settings, (entry.Reports, entry.Place))).FirstOrDefault();
    }

    /// <summary>Chooses the next trial; null where there is nothing left to try.</summary>
    public TrialSettings? Begin()
    {
        var settings = new TrialSettings { TrialId = Next, StartedAtUtc = DateTime.UtcNow };
        var isGiven = _given < plan.Given.Count;
        if ((isGiven ? plan.Given[_given] : plan.Tuner.Propose(settings)) is not { } parameter)
            return null;
        _given += isGiven ? 1 : 0;
        settings.Parameter = parameter;
        journal?.Write(new JournalLine.Start(settings, isGiven));
        Open(settings);
        return settings;
    }

    /// <summary>Takes a report of a trial that is under way.</summary>
    /// <returns>Whether the trial goes on.</returns>
    public bool Report(TrialSettings settings, TrialReport report, long place)
    {
        journal?.Write(new JournalLine.Report(settings.TrialId, report, place));
        return Take(settings, report, place);
    }

    /// <summary>Takes the result of a trial.</summary>
    /// <returns>Whether it is the best so far.</returns>
    public bool End(TrialResult result)
    {
        journal?.Write(new JournalLine.End(result));
        return Take(result);
    }

    private (TrialSettings Settings, List<TrialReport> Reports, long Place) Find(int trial) => _open.TryGetValue(trial, out var found)
        ? found : throw new InvalidDataException($"The journal tells of trial {trial}, which had not begun or had ended.");

    private void Open(TrialSettings settings)
    {
        _open.Add(settings.TrialId, (settings, [], 0));
        Next = Math.Max(Next, settings.TrialId + 1);
    }

    private bool Take(TrialSettings settings, TrialReport report, long place)
    {
        var (opened, reports, _) = _open[settings.TrialId];
        reports.Add(report);
        _open[settings.TrialId] = (opened, reports, place);
        plan.Pruner?.Report(settings.TrialId, report);
        return plan.Pruner?.ShouldPrune(settings.TrialId) != true;
    }

    private bool Take(TrialResult result)
    {
        _open.Remove(result.TrialSettings.TrialId);
        _results.Add(result);
        plan.Tuner.Update(result);
        plan.Pruner?.End(result.TrialSettings.TrialId, result.State);
        if (result.State != TrialState.Completed || result.Loss >= Best?.Loss)
            return false;
        Best = result;
        return true;
    }
}
