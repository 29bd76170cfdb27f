using MLTransfer.Experiments.Forests;
using MLTransfer.Experiments.Results;
using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments;

/// <summary>How much of what makes losses different is due to each option.</summary>
public static class ParameterImportance
{
    private const int Ensembles = 6;

    /// <summary>
    /// The share of the variance of the loss over the whole space that each option has by itself, from 0 to 1, by functional analysis of
    /// variance (Hutter et al. 2014) of boosted trees. What is missing to 1 is due to options together. Few trials tell little of small
    /// effects; trials chosen by a tuner that looks for the best tell of the neighbourhood of the best. An option with conditions counts
    /// as if they held.
    /// </summary>
    /// <param name="searchSpace">The space.</param>
    /// <param name="results">Trials of it; those that did not complete are left out.</param>
    /// <param name="seed">Decides how trees are grown.</param>
    /// <returns>
    /// Of each option by name, with dots where spaces are nested, the largest first; empty where there are fewer than four completed
    /// trials.
    /// </returns>
    public static IReadOnlyList<KeyValuePair<string, double>> Of(SearchSpace searchSpace, IEnumerable<TrialResult> results, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(searchSpace);
        ArgumentNullException.ThrowIfNull(results);
        var space = new FlatSpace(searchSpace);
        var completed = results.Where(result => result.State == TrialState.Completed && double.IsFinite(result.Loss)).ToList();
        if (completed.Count < 4)
            return [];
        List<double[]> points = [.. completed.Select(result => space.FromParameter(result.TrialSettings.Parameter))];
        double[] losses = [.. completed.Select(result => result.Loss)];
        var draws = new SplitMix64(SplitMix64.Mix((ulong)seed, 0x696D_706F));
        var effects = new double[space.Count];
        for (var ensemble = 0; ensemble < Ensembles; ensemble++)
        {
            var anova = new FunctionalAnova(space, new BoostedTrees(space, points, losses, ref draws));
            foreach (var (i, effect) in anova.MainEffects(ref draws).Index())
                effects[i] += effect / Ensembles;
        }

        return
        [
            .. effects.Select((effect, i) => KeyValuePair.Create(space[i].Name, effect)).OrderByDescending(entry => entry.Value),
        ];
    }
}
