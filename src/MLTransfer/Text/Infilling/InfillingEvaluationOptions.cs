namespace MLTransfer;

/// <summary>What <c>mlContext.Generation.EvaluateInfilling</c> measures.</summary>
public sealed class InfillingEvaluationOptions
{
    /// <summary>The share of each text's tokens that are hidden for loss and accuracy, all at once.</summary>
    public double MaskedShare = 0.15;

    /// <summary>Whether all tokens of a word are hidden or none.</summary>
    public bool WholeWords;

    /// <summary>Decides which tokens are hidden: the same ones from every model with the same tokenizer.</summary>
    public long Seed;

    /// <summary>
    /// Whether the pseudo-log-likelihood is measured, for which every token is hidden once: a text of n tokens costs n rows of a pass.
    /// </summary>
    public bool PseudoLogLikelihood = true;

    /// <summary>Rows of a pass. It changes speed and memory, not results.</summary>
    public int BatchSize = 32;

    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal void Check()
    {
        if (MaskedShare is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(MaskedShare), MaskedShare, $"{nameof(MaskedShare)} must be more than 0 and at most 1.");
        }

        OptionCheck.AtLeast(nameof(BatchSize), BatchSize, 1);
    }
}
