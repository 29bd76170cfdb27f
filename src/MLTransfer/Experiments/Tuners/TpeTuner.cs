using MLTransfer.Experiments.Spaces;
using MLTransfer.Experiments.Tuners;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments;

/// <summary>
/// The tree-structured Parzen estimator (Bergstra et al. 2011): a density of good trials and one of the others, and of draws from the
/// first the one that is the most likelier under it. Densities are joint over the options that mean something together, so that options
/// that only suit each other are found; options of a condition are a group of their own.
/// </summary>
public sealed class TpeTuner : ITuner
{
    private readonly TunerHistory _history;
    private readonly ParzenSettings _settings = new();
    private readonly int _startupTrials;
    private readonly int _candidates;

    /// <param name="searchSpace">What to search.</param>
    /// <param name="seed">Decides all draws.</param>
    /// <param name="startupTrials">Trials that are drawn evenly before any is chosen by densities.</param>
    /// <param name="candidates">Draws of which the best is tried.</param>
    public TpeTuner(SearchSpace searchSpace, long seed = 0, int startupTrials = 10, int candidates = 24)
    {
        OptionCheck.AtLeast(nameof(startupTrials), startupTrials, 0);
        OptionCheck.AtLeast(nameof(candidates), candidates, 1);
        (_history, _startupTrials, _candidates) = (new TunerHistory(searchSpace, seed), startupTrials, candidates);
    }

    /// <inheritdoc/>
    public Parameter Propose(TrialSettings settings)
    {
        var draws = _history.NextDraws();
        var point = _history.Random(ref draws);
        var (good, others) = ParzenSplit.Of(_history.Trials, _settings);
        var running = _history.Trials.Count(trial => trial.State == TrialState.Running);
        if (good.Count + others.Count - running >= Math.Max(1, _startupTrials))
        {
            foreach (var group in _history.Space.Groups)
            {
                if (_history.Space.IsActive(group[0], point))
                    Choose(group, Estimate(group, good), Estimate(group, others), ref draws, point);
            }
        }

        return _history.Propose(settings, point);
    }

    /// <inheritdoc/>
    public void Update(TrialResult result) => _history.Update(result);

    private void Choose(int[] group, ParzenEstimator good, ParzenEstimator others, ref SplitMix64 draws, double[] point)
    {
        Span<double> candidate = stackalloc double[group.Length];
        var best = double.NegativeInfinity;
        for (var i = 0; i < _candidates; i++)
        {
            good.Draw(ref draws, candidate);
            var gain = good.LogDensity(candidate) - others.LogDensity(candidate);
            if (!(gain > best))
                continue;
            best = gain;
            for (var k = 0; k < group.Length; k++)
                point[group[k]] = candidate[k];
        }
    }

    private ParzenEstimator Estimate(int[] group, List<TunedTrial> trials)
    {
        var domains = new Domain[group.Length];
        var observations = new double[group.Length][];
        var with = trials.FindAll(trial => !double.IsNaN(trial.Point[group[0]]));
        for (var k = 0; k < group.Length; k++)
        {
            domains[k] = _history.Space[group[k]].Domain;
            observations[k] = new double[with.Count];
            for (var i = 0; i < with.Count; i++)
                observations[k][i] = with[i].Point[group[k]];
        }

        return new ParzenEstimator(domains, observations, _settings);
    }
}
