using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Tuners;

/// <summary>What every tuner knows: its space, the trials in the order in which they were proposed, and a source of draws.</summary>
internal sealed class TunerHistory
{
    private readonly Dictionary<int, TunedTrial> _running = [];
    private readonly List<TunedTrial> _trials = [];
    private readonly long _seed;
    private ulong _proposals;

    public TunerHistory(SearchSpace space, long seed)
    {
        ArgumentNullException.ThrowIfNull(space);
        if (space.FeatureSpaceDim == 0)
            throw new ArgumentException("The search space has no options: add one to choose.", nameof(space));
        (Space, _seed) = (new FlatSpace(space), seed);
    }

    public FlatSpace Space { get; }

    public IReadOnlyList<TunedTrial> Trials => _trials;

    /// <summary>A stream for the next proposal, which depends on the seed and on how many there were.</summary>
    public SplitMix64 NextDraws() => new(SplitMix64.Mix((ulong)_seed, 0x7475_6E65, _proposals++));

    public Parameter Propose(TrialSettings settings, double[] point)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Space.LeaveOutInactive(point);
        var trial = new TunedTrial(point);
        _trials.Add(trial);
        _running[settings.TrialId] = trial;
        return Space.ToParameter(point);
    }

    /// <summary>Takes a result; one of a trial that was proposed elsewhere is a trial like any other.</summary>
    public TunedTrial Update(TrialResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (!_running.Remove(result.TrialSettings.TrialId, out var trial))
        {
            trial = new TunedTrial(Space.FromParameter(result.TrialSettings.Parameter));
            _trials.Add(trial);
        }

        var isKnown = double.IsFinite(result.Loss);
        trial.State = result.State switch
        {
            TrialState.Completed when !isKnown => TrialState.Failed,
            TrialState.Pruned => TrialState.Pruned,
            var state => state,
        };
        if (isKnown && trial.State is TrialState.Completed or TrialState.Pruned)
            trial.Loss = result.Loss;
        trial.LastStep = result.Reports.Count > 0 ? result.Reports[^1].Step : 0;
        return trial;
    }

    /// <summary>A point drawn evenly.</summary>
    public double[] Random(ref SplitMix64 draws)
    {
        var point = new double[Space.Count];
        for (var i = 0; i < point.Length; i++)
            point[i] = Draw(Space[i].Domain, ref draws);
        return point;
    }

    public static double Draw(Domain domain, ref SplitMix64 draws) => domain.IsCategorical
        ? (int)(draws.NextDouble() * domain.Choices) : domain.FromUnit(draws.NextDouble());
}
