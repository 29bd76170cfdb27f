namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>
/// How probable a text is to a model that fills masks: each token that is not special is hidden in turn (Salazar et al. 2019,
/// arXiv 1910.14659).
/// </summary>
/// <param name="LogProbabilities">The natural logarithm of each token's probability, from left to right.</param>
public sealed record PseudoLogLikelihood(IReadOnlyList<double> LogProbabilities)
{
    /// <summary>The sum over the tokens.</summary>
    public double Sum { get; } = LogProbabilities.Sum();

    /// <summary>The tokens that are not special.</summary>
    public int TokenCount => LogProbabilities.Count;
}
