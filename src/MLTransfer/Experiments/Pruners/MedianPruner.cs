namespace MLTransfer.Experiments;

/// <summary>Ends a trial whose best loss so far is worse than the median of what the completed trials had at the same step.</summary>
/// <param name="startupTrials">Completed trials before any trial is ended.</param>
/// <param name="warmupSteps">Steps of a trial at which it is not ended.</param>
/// <param name="intervalSteps">Steps of which the first report alone is judged.</param>
/// <param name="minimumTrials">Completed trials with a loss at the step before any trial is ended there.</param>
public sealed class MedianPruner(int startupTrials = 5, int warmupSteps = 0, int intervalSteps = 1, int minimumTrials = 1)
    : PercentilePruner(50, startupTrials, warmupSteps, intervalSteps, minimumTrials);
