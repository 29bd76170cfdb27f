using MLTransfer.Experiments.Tuners;

namespace MLTransfer.Experiments;

/// <summary>Draws every trial evenly from the space, whatever came before.</summary>
/// <param name="searchSpace">What to search.</param>
/// <param name="seed">Decides all draws.</param>
public sealed class RandomSearchTuner(SearchSpace searchSpace, long seed = 0) : ITuner
{
    private readonly TunerHistory _history = new(searchSpace, seed);

    /// <inheritdoc/>
    public Parameter Propose(TrialSettings settings)
    {
        var draws = _history.NextDraws();
        return _history.Propose(settings, _history.Random(ref draws));
    }

    /// <inheritdoc/>
    public void Update(TrialResult result) => _history.Update(result);
}
