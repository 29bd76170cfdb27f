namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// What a model makes of pairs of a chosen and a rejected text, beside the reference model that its tuning is measured against (direct
/// preference optimization, arXiv 2305.18290). All but shares and counts are means over pairs.
/// </summary>
/// <remarks>
/// The log-probability of a text is the sum of ln p(token) over its tokens, those that end it included, given the prompt; the reward of a
/// text is beta times its log-probability less that of the reference model.
/// </remarks>
public sealed record PreferenceMetrics
{
    /// <summary>The loss of preference tuning.</summary>
    public required double Loss { get; init; }

    /// <summary>The reward of chosen texts.</summary>
    public required double ChosenReward { get; init; }

    /// <summary>The reward of rejected texts.</summary>
    public required double RejectedReward { get; init; }

    /// <summary>The share of pairs whose chosen text has the larger reward: 0 where the model is the reference itself.</summary>
    public required double RewardAccuracy { get; init; }

    /// <summary>The log-probability of chosen texts, in nats.</summary>
    public required double ChosenLogProbability { get; init; }

    /// <summary>The log-probability of rejected texts, in nats.</summary>
    public required double RejectedLogProbability { get; init; }

    /// <summary>The share of pairs whose chosen text is the more probable one; no matter of the reference.</summary>
    public required double ProbabilityAccuracy { get; init; }

    /// <summary>How many pairs there are.</summary>
    public required int PairCount { get; init; }

    /// <summary>By how much the reward of chosen texts is larger than that of rejected ones.</summary>
    public double RewardMargin => ChosenReward - RejectedReward;
}
