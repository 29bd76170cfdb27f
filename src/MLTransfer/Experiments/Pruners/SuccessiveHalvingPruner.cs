namespace MLTransfer.Experiments;

/// <summary>
/// Asynchronous successive halving (Li et al. 2018, arXiv 1810.05934): at steps that grow by a factor, the rungs, a trial goes on where it
/// is among the best of all that ever got there.
/// </summary>
public sealed class SuccessiveHalvingPruner : IPruner
{
    private readonly List<List<double>> _rungs = []; // losses, sorted
    private readonly Dictionary<int, TrialReport> _last = [];
    private readonly Dictionary<int, int> _nextRung = [];
    private readonly int _minimumResource, _reductionFactor, _minimumEarlyStoppingRate, _bootstrapCount;

    /// <param name="minimumResource">The step of the first rung.</param>
    /// <param name="reductionFactor">Of how many trials one goes on, and how much further the next rung is.</param>
    /// <param name="minimumEarlyStoppingRate">Rungs that are left out at the beginning.</param>
    /// <param name="bootstrapCount">Trials of a rung that do not go on before any does.</param>
    public SuccessiveHalvingPruner(
        int minimumResource = 1, int reductionFactor = 4, int minimumEarlyStoppingRate = 0, int bootstrapCount = 0)
    {
        OptionCheck.AtLeast(nameof(minimumResource), minimumResource, 1);
        OptionCheck.AtLeast(nameof(reductionFactor), reductionFactor, 2);
        OptionCheck.AtLeast(nameof(minimumEarlyStoppingRate), minimumEarlyStoppingRate, 0);
        OptionCheck.AtLeast(nameof(bootstrapCount), bootstrapCount, 0);
        (_minimumResource, _reductionFactor, _minimumEarlyStoppingRate, _bootstrapCount) =
            (minimumResource, reductionFactor, minimumEarlyStoppingRate, bootstrapCount);
    }

    /// <inheritdoc/>
    public void Report(int trialId, TrialReport report) => _last[trialId] = report;

    /// <inheritdoc/>
    public bool ShouldPrune(int trialId)
    {
        if (!_last.TryGetValue(trialId, out var report))
            return false;
        var rung = _nextRung.GetValueOrDefault(trialId);
        for (; report.Step >= StepOf(rung); rung++)
        {
            if (double.IsNaN(report.Loss))
                return true;
            while (_rungs.Count <= rung)
                _rungs.Add([]);
            var losses = _rungs[rung];
            losses.Insert(Place(losses, report.Loss), report.Loss);
            if (losses.Count <= _bootstrapCount || report.Loss > losses[Math.Max(1, losses.Count / _reductionFactor) - 1])
                return true;
        }

        _nextRung[trialId] = rung;
        return false;
    }

    /// <inheritdoc/>
    public void End(int trialId, TrialState state)
    {
        _last.Remove(trialId);
        _nextRung.Remove(trialId);
    }

    private double StepOf(int rung) => _minimumResource * Math.Pow(_reductionFactor, _minimumEarlyStoppingRate + rung);

    private static int Place(List<double> losses, double loss)
    {
        var place = losses.BinarySearch(loss);
        return place >= 0 ? place : ~place;
    }
}
