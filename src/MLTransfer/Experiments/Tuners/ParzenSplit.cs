namespace MLTransfer.Experiments.Tuners;

/// <summary>The good trials and the others.</summary>
internal static class ParzenSplit
{
    /// <summary>
    /// Completed trials are better than pruned ones, and those than such as never reported; of the pruned the ones that came further are
    /// better. Those under way count as not good, so that others keep away from them; failed ones tell nothing.
    /// </summary>
    /// <param name="trials">In the order in which they were proposed, as both results are.</param>
    /// <param name="settings">Say how many are good.</param>
    public static (List<TunedTrial> Good, List<TunedTrial> Others) Of(IReadOnlyList<TunedTrial> trials, ParzenSettings settings)
    {
        var finished = new List<int>(trials.Count);
        for (var i = 0; i < trials.Count; i++)
        {
            if (trials[i].State is TrialState.Completed or TrialState.Pruned)
                finished.Add(i);
        }

        var count = settings.Good(finished.Count);
        finished.Sort((first, second) => Compare(trials, first, second));
        var isGood = new bool[trials.Count];
        foreach (var i in finished[..Math.Min(count, finished.Count)])
            isGood[i] = true;
        var (good, others) = (new List<TunedTrial>(), new List<TunedTrial>());
        for (var i = 0; i < trials.Count; i++)
        {
            if (isGood[i])
                good.Add(trials[i]);
            else if (trials[i].State is TrialState.Completed or TrialState.Pruned or TrialState.Running)
                others.Add(trials[i]);
        }

        return (good, others);
    }

    private static int Compare(IReadOnlyList<TunedTrial> trials, int first, int second)
    {
        var (a, b) = (trials[first], trials[second]);
        var order = (a.State == TrialState.Completed ? 0 : 1).CompareTo(b.State == TrialState.Completed ? 0 : 1);
        if (order == 0 && a.State == TrialState.Pruned)
            order = b.LastStep.CompareTo(a.LastStep);
        if (order == 0)
            order = a.Loss.CompareTo(b.Loss);
        return order != 0 ? order : first.CompareTo(second);
    }
}
