using MLTransfer.Experiments.Tuners;

namespace MLTransfer.Experiments;

/// <summary>
/// The covariance matrix adaptation evolution strategy (Hansen 2016) over the ranges that always mean something, from the middle of the
/// space or the default on. Choices and options of a condition are drawn evenly.
/// </summary>
public sealed class CmaEsTuner : ITuner
{
    private readonly TunerHistory _history;
    private readonly int[] _ranges;
    private readonly EvolutionStrategy? _strategy;
    private readonly Dictionary<int, double[]> _drawn = [];

    /// <param name="searchSpace">What to search.</param>
    /// <param name="seed">Decides all draws.</param>
    public CmaEsTuner(SearchSpace searchSpace, long seed = 0)
    {
        _history = new TunerHistory(searchSpace, seed);
        var space = _history.Space;
        _ranges =
        [
            .. Enumerable.Range(0, space.Count).Where(i =>
                space[i].Conditions.Count == 0 && space[i].Domain is { IsCategorical: false, IsSingle: false }),
        ];
        if (_ranges.Length > 0)
            _strategy = new EvolutionStrategy([.. _ranges.Select(i => space[i].Option.Default[0])], 1.0 / 6);
    }

    /// <inheritdoc/>
    public Parameter Propose(TrialSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var draws = _history.NextDraws();
        var point = _history.Random(ref draws);
        if (_strategy is not null)
        {
            var drawn = _strategy.Draw(ref draws);
            for (var k = 0; k < _ranges.Length; k++)
                point[_ranges[k]] = _history.Space[_ranges[k]].Domain.FromUnit(drawn[k]);
            _drawn[settings.TrialId] = drawn;
        }

        return _history.Propose(settings, point);
    }

    /// <inheritdoc/>
    public void Update(TrialResult result)
    {
        var trial = _history.Update(result);
        if (_drawn.Remove(result.TrialSettings.TrialId, out var point))
            _strategy!.Add(point, trial.Loss);
    }
}
