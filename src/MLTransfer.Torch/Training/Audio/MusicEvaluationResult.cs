namespace MLTransfer.Torch.Training.Audio;

/// <summary>The loss of a MusicGen on music.</summary>
/// <param name="CodebookLosses">Of each codebook, the mean over all codes of -ln p(code), in nats.</param>
public sealed record MusicEvaluationResult(IReadOnlyList<double> CodebookLosses)
{
    /// <summary>The mean over codebooks.</summary>
    public double Loss => CodebookLosses.Count == 0 ? double.NaN : CodebookLosses.Average();

    /// <summary>e to the power of each of <see cref="CodebookLosses"/>.</summary>
    public IReadOnlyList<double> CodebookPerplexities => [.. CodebookLosses.Select(Math.Exp)];

    /// <summary>e to the power of <see cref="Loss"/>.</summary>
    public double Perplexity => Math.Exp(Loss);
}
