namespace MLTransfer;

/// <summary>How well a model predicts hidden tokens of texts.</summary>
/// <param name="Loss">The cross-entropy of hidden tokens: the mean of -ln p(token), in nats.</param>
/// <param name="MaskedAccuracy">The share of hidden tokens that are the most probable ones.</param>
/// <param name="MaskedTokenCount">The hidden tokens.</param>
/// <param name="PseudoLogLikelihood">
/// The mean over all tokens that are not special of ln p(token), each hidden alone (arXiv 1910.14659); null where it was not measured.
/// </param>
/// <param name="TokenCount">The tokens that are not special; 0 where <paramref name="PseudoLogLikelihood"/> was not measured.</param>
public sealed record TextInfillingMetrics(
    double Loss, double MaskedAccuracy, long MaskedTokenCount, double? PseudoLogLikelihood, long TokenCount)
{
    /// <summary>e to the power of -<see cref="PseudoLogLikelihood"/>: among how many equally likely tokens the model chooses.</summary>
    public double? PseudoPerplexity => PseudoLogLikelihood is { } mean ? Math.Exp(-mean) : null;
}
