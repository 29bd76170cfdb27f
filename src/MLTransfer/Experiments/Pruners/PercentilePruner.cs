namespace MLTransfer.Experiments;

/// <summary>
/// Ends a trial whose best loss so far is worse than a percentile of what the completed trials had at the same step (the median rule of
/// Golovin et al. 2017, "Google Vizier", for the percentile 50).
/// </summary>
public class PercentilePruner : IPruner
{
    private readonly Dictionary<int, List<TrialReport>> _reports = [];
    private readonly HashSet<int> _completed = [];
    private readonly double _percentile;
    private readonly int _startupTrials, _warmupSteps, _intervalSteps, _minimumTrials;

    /// <param name="percentile">Of the losses of completed trials, from 0 to 100: the share that stays.</param>
    /// <param name="startupTrials">Completed trials before any trial is ended.</param>
    /// <param name="warmupSteps">Steps of a trial at which it is not ended.</param>
    /// <param name="intervalSteps">Steps of which the first report alone is judged.</param>
    /// <param name="minimumTrials">Completed trials with a loss at the step before any trial is ended there.</param>
    public PercentilePruner(
        double percentile, int startupTrials = 5, int warmupSteps = 0, int intervalSteps = 1, int minimumTrials = 1)
    {
        if (percentile is not (>= 0 and <= 100))
            throw new ArgumentOutOfRangeException(nameof(percentile), percentile, "A percentile is from 0 to 100.");
        OptionCheck.AtLeast(nameof(startupTrials), startupTrials, 0);
        OptionCheck.AtLeast(nameof(warmupSteps), warmupSteps, 0);
        OptionCheck.AtLeast(nameof(intervalSteps), intervalSteps, 1);
        OptionCheck.AtLeast(nameof(minimumTrials), minimumTrials, 1);
        (_percentile, _startupTrials, _warmupSteps, _intervalSteps, _minimumTrials) =
            (percentile, startupTrials, warmupSteps, intervalSteps, minimumTrials);
    }

    /// <inheritdoc/>
    public void Report(int trialId, TrialReport report)
    {
        if (!_reports.TryGetValue(trialId, out var reports))
            _reports[trialId] = reports = [];
        reports.Add(report);
    }

    /// <inheritdoc/>
    public bool ShouldPrune(int trialId)
    {
        if (!_reports.TryGetValue(trialId, out var reports))
            return false;
        var step = reports[^1].Step;
        if (_completed.Count < _startupTrials || _completed.Count == 0 || step < _warmupSteps)
            return false;
        var judgedFrom = _warmupSteps + (step - _warmupSteps) / _intervalSteps * _intervalSteps;
        if (reports.Count > 1 && reports[^2].Step >= judgedFrom)
            return false;
        var others = LossesAt(step);
        if (others.Count < _minimumTrials)
            return false;
        var best = Best(reports);
        return double.IsNaN(best) || best > Percentile(others);
    }

    /// <inheritdoc/>
    public void End(int trialId, TrialState state)
    {
        if (state == TrialState.Completed)
            _completed.Add(trialId);
        else
            _reports.Remove(trialId);
    }

    private static double Best(List<TrialReport> reports)
    {
        var best = double.NaN;
        foreach (var report in reports)
        {
            if (!(report.Loss >= best) && !double.IsNaN(report.Loss))
                best = report.Loss;
        }

        return best;
    }

    private List<double> LossesAt(int step)
    {
        var losses = new List<double>();
        foreach (var trial in _completed)
        {
            if (!_reports.TryGetValue(trial, out var reports))
                continue;
            var index = reports.FindIndex(report => report.Step == step);
            if (index >= 0 && !double.IsNaN(reports[index].Loss))
                losses.Add(reports[index].Loss);
        }

        return losses;
    }

    /// <summary>Between the two losses that the percentile lies between.</summary>
    private double Percentile(List<double> losses)
    {
        losses.Sort();
        var place = _percentile / 100 * (losses.Count - 1);
        var below = (int)Math.Floor(place);
        return below + 1 < losses.Count ? losses[below] + (losses[below + 1] - losses[below]) * (place - below) : losses[below];
    }
}
