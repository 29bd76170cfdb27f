namespace MLTransfer.Torch.Training.Language;

/// <summary>The loss of a model on a set of examples.</summary>
/// <param name="Loss">The mean over predicted tokens of -ln p(token), in nats.</param>
/// <param name="PredictedTokens">How many tokens were predicted.</param>
public sealed record EvaluationResult(double Loss, long PredictedTokens)
{
    /// <summary>e to the power of <see cref="Loss"/>.</summary>
    public double Perplexity => Math.Exp(Loss);
}
