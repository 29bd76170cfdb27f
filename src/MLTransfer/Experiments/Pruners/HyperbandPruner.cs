using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace MLTransfer.Experiments;

/// <summary>
/// Hyperband (Li et al. 2018, arXiv 1603.06560): trials are divided among brackets of successive halving, of which each begins to end
/// trials one rung later than the one before, in case early losses tell little.
/// </summary>
public sealed class HyperbandPruner : IPruner
{
    private readonly Dictionary<int, int> _lastSteps = [];
    private readonly string _name;
    private readonly int _minimumResource, _reductionFactor, _bootstrapCount;
    private SuccessiveHalvingPruner[]? _brackets;
    private int[] _allocation = [];

    /// <param name="name">The experiment's: with the trial's number it decides on the bracket.</param>
    /// <param name="minimumResource">The step of the first rung.</param>
    /// <param name="maximumResource">
    /// The last step of a trial; null for one more than the last of the first trial that completes, before which no trial is ended.
    /// </param>
    /// <param name="reductionFactor">Of how many trials one goes on, and how much further the next rung is.</param>
    /// <param name="bootstrapCount">Trials of a rung that do not go on before any does.</param>
    public HyperbandPruner(
        string name = "experiment", int minimumResource = 1, int? maximumResource = null, int reductionFactor = 3, int bootstrapCount = 0)
    {
        ArgumentNullException.ThrowIfNull(name);
        OptionCheck.AtLeast(nameof(minimumResource), minimumResource, 1);
        OptionCheck.AtLeast(nameof(reductionFactor), reductionFactor, 2);
        OptionCheck.AtLeast(nameof(bootstrapCount), bootstrapCount, 0);
        (_name, _minimumResource, _reductionFactor, _bootstrapCount) = (name, minimumResource, reductionFactor, bootstrapCount);
        if (maximumResource is not { } maximum)
            return;
        OptionCheck.AtLeast(nameof(maximumResource), maximum, minimumResource);
        MakeBrackets(maximum);
    }

    /// <summary>How many of the trials each bracket gets, in proportion; empty until the largest step is known.</summary>
    public IReadOnlyList<int> Allocation => _allocation;

    /// <summary>The bracket of a trial.</summary>
    /// <exception cref="InvalidOperationException">The largest step is not known yet.</exception>
    public int BracketOf(int trialId)
    {
        if (_brackets is null)
            throw new InvalidOperationException("There are no brackets before the first trial is complete.");
        var text = string.Create(CultureInfo.InvariantCulture, $"{_name}_{trialId}");
        var place = (int)(Crc32.HashToUInt32(Encoding.UTF8.GetBytes(text)) % (uint)_allocation.Sum());
        var bracket = 0;
        while ((place -= _allocation[bracket]) >= 0)
            bracket++;
        return bracket;
    }

    /// <inheritdoc/>
    public void Report(int trialId, TrialReport report)
    {
        _lastSteps[trialId] = report.Step;
        _brackets?[BracketOf(trialId)].Report(trialId, report);
    }

    /// <inheritdoc/>
    public bool ShouldPrune(int trialId) => _brackets?[BracketOf(trialId)].ShouldPrune(trialId) ?? false;

    /// <inheritdoc/>
    public void End(int trialId, TrialState state)
    {
        if (_brackets is not null)
            _brackets[BracketOf(trialId)].End(trialId, state);
        else if (state == TrialState.Completed && _lastSteps.TryGetValue(trialId, out var last))
            MakeBrackets(Math.Max(last + 1, _minimumResource));
    }

    private void MakeBrackets(int maximumResource)
    {
        // In whole numbers: a logarithm of a power may come out just below it.
        var count = 1;
        for (long reached = _minimumResource; (reached *= _reductionFactor) <= maximumResource;)
            count++;
        _allocation = [.. Enumerable.Range(0, count).Select(bracket =>
        {
            var rungs = count - 1 - bracket;
            return (int)Math.Ceiling(count * Math.Pow(_reductionFactor, rungs) / (rungs + 1));
        })];
        _brackets = [.. Enumerable.Range(0, count).Select(bracket =>
            new SuccessiveHalvingPruner(_minimumResource, _reductionFactor, bracket, _bootstrapCount))];
    }
}
