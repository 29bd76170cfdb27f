namespace MLTransfer.Experiments.Running;

/// <summary>All that happened in an experiment so far, in the order in which tuner and pruner are told of it.</summary>
/// <param name="plan">Whose tuner and pruner.</param>
/// <param name="journal">What keeps it; null for nothing.</param>
internal sealed class TrialHistory(ExperimentPlan plan, TrialJournal? journal)
{
    private readonly List<TrialResult> _results = [];
    private readonly Dictionary<int, OpenTrial> _open = [];
    private readonly Lock _lock = new(); // trials report from threads of their own
    private int _given;

    /// <summary>The trials that ended.</summary>
    public IReadOnlyList<TrialResult> Results => _results;

    /// <summary>The best completed trial; null where there is none.</summary>
    public TrialResult? Best { get; private set; }

    /// <summary>The number of the next trial: that of those that have begun.</summary>
    public int Next { get; private set; }

    /// <summary>The time of the trials that ended.</summary>
    public TimeSpan Elapsed => TimeSpan.FromMilliseconds(_results.Sum(result => result.DurationInMilliseconds));

    /// <summary>The tokens of the trials that ended.</summary>
    public long Tokens => _results.Sum(result => result.Tokens);

    /// <summary>Tells tuner and pruner all that the journal has.</summary>
    /// <returns>The trials that were under way when the journal ends.</returns>
    public IReadOnlyList<OpenTrial> Replay()
    {
        foreach (var line in journal?.Lines ?? [])
        {
            switch (line)
            {
                case JournalLine.Start start:
                    if (start.IsGiven)
                        _given++;
                    else
                        ProposeAgain(start.Settings);
                    Open(start.Settings);
                    break;
                case JournalLine.Report report:
                    Find(report.Trial).IsPruned = !Take(Find(report.Trial), report.Value, report.Place);
                    break;
                case JournalLine.End { Result: var result }:
                    var trial = Find(result.TrialSettings.TrialId);
                    trial.Settings.EndedAtUtc = result.TrialSettings.EndedAtUtc;
                    (result.TrialSettings, result.Reports) = (trial.Settings, trial.Reports);
                    Take(result);
                    break;
            }
        }

        return [.. _open.Values];
    }

    /// <summary>Chooses the next trial; null where there is nothing left to try.</summary>
    public OpenTrial? Begin()
    {
        lock (_lock)
        {
            var settings = new TrialSettings { TrialId = Next, StartedAtUtc = DateTime.UtcNow };
            var isGiven = _given < plan.Given.Count;
            if ((isGiven ? plan.Given[_given] : plan.Tuner.Propose(settings)) is not { } parameter)
                return null;
            _given += isGiven ? 1 : 0;
            settings.Parameter = parameter;
            journal?.Write(new JournalLine.Start(settings, isGiven));
            return Open(settings);
        }
    }

    /// <summary>Takes a report of a trial that is under way.</summary>
    /// <returns>Whether the trial goes on.</returns>
    public bool Report(OpenTrial trial, TrialReport report, long place)
    {
        lock (_lock)
        {
            journal?.Write(new JournalLine.Report(trial.Settings.TrialId, report, place));
            return Take(trial, report, place);
        }
    }

    /// <summary>Takes the result of a trial.</summary>
    /// <returns>Whether it is the best so far.</returns>
    public bool End(TrialResult result)
    {
        lock (_lock)
        {
            journal?.Write(new JournalLine.End(result));
            return Take(result);
        }
    }

    /// <summary>Brings the tuner to the state that it had. Those of users may choose otherwise this time.</summary>
    private void ProposeAgain(TrialSettings settings)
    {
        var proposed = plan.Tuner.Propose(settings);
        if (plan.Tuner.GetType().Assembly == typeof(ITuner).Assembly && !settings.Parameter.Equals(proposed))
        {
            throw new InvalidDataException(
                $"The journal has other values of trial {settings.TrialId} than {plan.Tuner.GetType().Name} chooses, {proposed}: it was "
                + "written with other settings of the tuner, or by another version of this library. Take another folder.");
        }
    }

    private OpenTrial Find(int trial) => _open.TryGetValue(trial, out var found)
        ? found : throw new InvalidDataException($"The journal tells of trial {trial}, which had not begun or had ended.");

    private OpenTrial Open(TrialSettings settings)
    {
        Next = Math.Max(Next, settings.TrialId + 1);
        return _open[settings.TrialId] = new OpenTrial(settings);
    }

    private bool Take(OpenTrial trial, TrialReport report, long place)
    {
        trial.Reports.Add(report);
        trial.Place = place;
        plan.Pruner?.Report(trial.Settings.TrialId, report);
        return plan.Pruner?.ShouldPrune(trial.Settings.TrialId) != true;
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
