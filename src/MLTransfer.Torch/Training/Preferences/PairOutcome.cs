using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>What a model makes of a pair.</summary>
/// <param name="Loss">Its loss.</param>
/// <param name="Chosen">The log-probability of the chosen text.</param>
/// <param name="Rejected">That of the rejected one.</param>
/// <param name="ChosenReward">The reward of the chosen text.</param>
/// <param name="RejectedReward">That of the rejected one.</param>
internal readonly record struct PairOutcome(double Loss, double Chosen, double Rejected, double ChosenReward, double RejectedReward)
{
    /// <summary>The means over pairs.</summary>
    public static PreferenceMetrics Mean(IReadOnlyList<PairOutcome> pairs) => new()
    {
        Loss = pairs.Average(pair => pair.Loss),
        ChosenReward = pairs.Average(pair => pair.ChosenReward),
        RejectedReward = pairs.Average(pair => pair.RejectedReward),
        RewardAccuracy = pairs.Average(pair => pair.ChosenReward > pair.RejectedReward ? 1.0 : 0),
        ChosenLogProbability = pairs.Average(pair => pair.Chosen),
        RejectedLogProbability = pairs.Average(pair => pair.Rejected),
        ProbabilityAccuracy = pairs.Average(pair => pair.Chosen > pair.Rejected ? 1.0 : 0),
        PairCount = pairs.Count,
    };
}
