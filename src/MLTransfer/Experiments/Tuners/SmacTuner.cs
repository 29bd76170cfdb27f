using MLTransfer.Experiments.Forests;
using MLTransfer.Experiments.Tuners;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments;

/// <summary>
/// Sequential model-based optimization with a random forest (Hutter, Hoos and Leyton-Brown 2011, "SMAC"): the point with the largest
/// expected improvement by the forecast of a forest, looked for around the best trials and at random.
/// </summary>
public sealed class SmacTuner : ITuner
{
    private const int StartsOfSearch = 5, StepsOfSearch = 6, NeighboursOfRange = 4;
    private const double NeighbourDeviation = 0.2;

    private readonly TunerHistory _history;
    private readonly TreeSettings _trees;
    private readonly int _startupTrials;
    private readonly int _randomCandidates;

    /// <param name="searchSpace">What to search.</param>
    /// <param name="seed">Decides all draws.</param>
    /// <param name="startupTrials">Trials that are drawn evenly before any is chosen by the forest.</param>
    /// <param name="numberOfTrees">Of the forest.</param>
    /// <param name="randomCandidates">Points drawn evenly that are looked at beside the neighbours of the best.</param>
    public SmacTuner(
        SearchSpace searchSpace, long seed = 0, int startupTrials = 10, int numberOfTrees = 10, int randomCandidates = 200)
    {
        OptionCheck.AtLeast(nameof(startupTrials), startupTrials, 1);
        OptionCheck.AtLeast(nameof(numberOfTrees), numberOfTrees, 2);
        OptionCheck.AtLeast(nameof(randomCandidates), randomCandidates, 1);
        _history = new TunerHistory(searchSpace, seed);
        (_startupTrials, _randomCandidates) = (startupTrials, randomCandidates);
        _trees = new TreeSettings
        {
            Trees = numberOfTrees, FeatureShare = 5.0 / 6, SplitRows = 3, LeafRows = 1, DrawsBorders = true,
        };
    }

    /// <inheritdoc/>
    public Parameter Propose(TrialSettings settings)
    {
        var draws = _history.NextDraws();
        var known = _history.Trials.Where(trial => trial.State is not TrialState.Running).ToList();
        var best = known.Count(trial => double.IsFinite(trial.Loss)) < _startupTrials
            ? _history.Random(ref draws) : Choose(known, ref draws);
        return _history.Propose(settings, best);
    }

    /// <inheritdoc/>
    public void Update(TrialResult result) => _history.Update(result);

    private double[] Choose(List<TunedTrial> known, ref SplitMix64 draws)
    {
        var targets = Targets(known);
        var forest = new RandomForest(_history.Space, [.. known.Select(trial => trial.Point)], targets, _trees, ref draws);
        var search = new ImprovementSearch(forest, targets.Min(), _history);
        for (var i = 0; i < _randomCandidates; i++)
            search.Look(_history.Random(ref draws));
        foreach (var (trial, _) in known.Zip(targets).OrderBy(entry => entry.Second).Take(StartsOfSearch))
            Climb(search, trial.Point, ref draws);
        return search.Best ?? _history.Random(ref draws);
    }

    private void Climb(ImprovementSearch search, double[] start, ref SplitMix64 draws)
    {
        var (place, height) = (start, double.NegativeInfinity);
        for (var step = 0; step < StepsOfSearch; step++)
        {
            var (next, nextHeight) = (place, height);
            for (var i = 0; i < place.Length; i++)
            {
                var domain = _history.Space[i].Domain;
                if (double.IsNaN(place[i]) || domain.IsSingle)
                    continue;
                for (var k = 0; k < (domain.IsCategorical ? domain.Choices : NeighboursOfRange); k++)
                {
                    var neighbour = (double[])place.Clone();
                    neighbour[i] = domain.IsCategorical ? k
                        : domain.FromUnit(domain.ToUnit(place[i]) + NeighbourDeviation * draws.NextNormal());
                    Complete(neighbour, ref draws);
                    if (search.Look(neighbour) is var there && there > nextHeight)
                        (next, nextHeight) = (neighbour, there);
                }
            }

            if (nextHeight <= height)
                return;
            (place, height) = (next, nextHeight);
        }
    }

    /// <summary>What means something only now is drawn.</summary>
    private void Complete(double[] point, ref SplitMix64 draws)
    {
        _history.Space.LeaveOutInactive(point);
        foreach (var i in _history.Space.Order)
        {
            if (double.IsNaN(point[i]) && _history.Space.IsActive(i, point))
                point[i] = TunerHistory.Draw(_history.Space[i].Domain, ref draws);
        }
    }

    /// <summary>
    /// Losses in a logarithmic scale of their distance to the best, so that differences among the good count more than those among the
    /// bad; a trial that failed is as bad as the worst.
    /// </summary>
    private static double[] Targets(List<TunedTrial> known)
    {
        var finite = known.Where(trial => double.IsFinite(trial.Loss)).Select(trial => trial.Loss).Order().ToArray();
        var (lowest, highest) = (finite[0], finite[^1]);
        var margin = Math.Max(finite[finite.Length / 10] - lowest, (highest - lowest) * 1e-3);
        if (highest == lowest)
            return new double[known.Count];
        return [.. known.Select(trial => Math.Log(Math.Min(trial.Loss, highest) - lowest + margin))];
    }

    /// <summary>The point with the largest expected improvement among those that were looked at and not tried yet.</summary>
    private sealed class ImprovementSearch(RandomForest forest, double lowest, TunerHistory history)
    {
        private double _largest = double.NegativeInfinity;

        public double[]? Best { get; private set; }

        /// <returns>The improvement that is expected.</returns>
        public double Look(double[] point)
        {
            history.Space.LeaveOutInactive(point);
            var (mean, deviation) = forest.Predict(point);
            var gain = lowest - mean;
            var improvement = deviation <= 0 ? Math.Max(0, gain) : gain * NormalDistribution.Upper(-gain / deviation)
                + deviation * Math.Exp(-gain * gain / (2 * deviation * deviation)) / Math.Sqrt(2 * Math.PI);
            if (improvement > _largest && !IsTried(point))
                (_largest, Best) = (improvement, point);
            return improvement;
        }

        private bool IsTried(double[] point)
        {
            foreach (var trial in history.Trials)
            {
                if (trial.Point.AsSpan().SequenceEqual(point)) // NaN equals NaN here
                    return true;
            }

            return false;
        }
    }
}
