namespace MLTransfer.Torch.Training.Preferences;

/// <summary>The loss of a pair, and its derivatives by the log-probabilities of its texts. See <see cref="PreferenceLoss"/>.</summary>
internal sealed record PreferenceObjective(PreferenceLoss Loss, double Beta, double LabelSmoothing)
{
    public static PreferenceObjective Of(PreferenceTrainingOptions options) => new(options.Loss, options.Beta, options.LabelSmoothing);

    /// <summary>The loss of a pair.</summary>
    /// <param name="pair">The pair, for the lengths of its texts.</param>
    /// <param name="policy">The log-probabilities by the model.</param>
    /// <param name="reference">Those by the reference model.</param>
    /// <param name="slopes">The derivatives of the loss by <paramref name="policy"/>.</param>
    public PairOutcome Of(
        PreferencePair pair, TextLogProbabilities policy, TextLogProbabilities reference, out TextLogProbabilities slopes)
    {
        var (chosen, rejected) = (policy.Chosen - reference.Chosen, policy.Rejected - reference.Rejected);
        var isNormalized = Loss is PreferenceLoss.IdentityPreference or PreferenceLoss.LengthNormalizedSigmoid;
        var (ofChosen, ofRejected) = isNormalized ? (1.0 / pair.Chosen.PredictedTokens, 1.0 / pair.Rejected.PredictedTokens) : (1, 1);
        var (loss, slope) = Of(chosen * ofChosen - rejected * ofRejected);
        slopes = new(slope * ofChosen, -slope * ofRejected);
        return new PairOutcome(loss, policy.Chosen, policy.Rejected, Beta * chosen, Beta * rejected);
    }

    /// <summary>The loss, and its derivative, by the difference of log-ratios.</summary>
    private (double Loss, double Slope) Of(double difference)
    {
        var (margin, e) = (Beta * difference, LabelSmoothing);
        return Loss switch
        {
            PreferenceLoss.Sigmoid => (
                -(1 - e) * LogSigmoid(margin) - e * LogSigmoid(-margin), Beta * (e * Sigmoid(margin) - (1 - e) * Sigmoid(-margin))),
            PreferenceLoss.Robust => (
                (-(1 - e) * LogSigmoid(margin) + e * LogSigmoid(-margin)) / (1 - 2 * e),
                -Beta * ((1 - e) * Sigmoid(-margin) + e * Sigmoid(margin)) / (1 - 2 * e)),
            PreferenceLoss.LengthNormalizedSigmoid => (-LogSigmoid(margin), -Beta * Sigmoid(-margin)),
            PreferenceLoss.IdentityPreference => (Square(difference - 1 / (2 * Beta)), 2 * (difference - 1 / (2 * Beta))),
            PreferenceLoss.Hinge => (Math.Max(0, 1 - margin), margin < 1 ? -Beta : 0),
            var other => throw new InvalidOperationException($"There is no loss {other}."),
        };
    }

    private static double LogSigmoid(double x) => Math.Min(0, x) - Math.Log(1 + Math.Exp(-Math.Abs(x)));

    private static double Sigmoid(double x) => Math.Exp(LogSigmoid(x));

    private static double Square(double x) => x * x;
}
