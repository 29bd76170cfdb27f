namespace MLTransfer.Torch.Training.Language;

/// <summary>Which tokens of a row <see cref="TokenMasking"/> hides. Names in parentheses are those of Hugging Face.</summary>
public sealed record MaskingOptions
{
    /// <summary>The share of a row's tokens that are chosen, more than 0 and at most 1 (<c>mlm_probability</c>).</summary>
    public double Share { get; init; } = 0.15;

    /// <summary>The share of the chosen tokens that become any token that is not special (<c>random_replace_prob</c>).</summary>
    public double RandomShare { get; init; } = 0.1;

    /// <summary>The share of the chosen tokens that stay as they are; what <see cref="RandomShare"/> leaves over is masked.</summary>
    public double KeptShare { get; init; } = 0.1;

    /// <summary>
    /// Whether words are chosen as a whole, as many as do not go beyond <see cref="Share"/>. By WordPiece's <c>##</c> a word has no
    /// punctuation; with tokens that carry the space before them (byte-level, SentencePiece) it is what stands between spaces
    /// (<c>DataCollatorForWholeWordMask</c>).
    /// </summary>
    public bool WholeWords { get; init; }

    /// <exception cref="ArgumentException">A share is outside its range; the message names it.</exception>
    public void Check()
    {
        OptionRange.Positive(nameof(Share), Share);
        OptionRange.Between(nameof(Share), Share, 0, 1);
        OptionRange.Between(nameof(RandomShare), RandomShare, 0, 1);
        OptionRange.Between(nameof(KeptShare), KeptShare, 0, 1 - RandomShare);
    }
}
