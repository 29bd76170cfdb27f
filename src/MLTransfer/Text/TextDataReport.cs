using System.Globalization;

namespace MLTransfer;

/// <summary>What a text generator is trained on, counted before training.</summary>
public sealed record TextDataReport
{
    /// <summary>
    /// The texts that the model learns; those held out for evaluation are among them, where they are a share of the data.
    /// </summary>
    public required long Texts { get; init; }

    /// <summary>Rows of the data without a text to learn: they are left out.</summary>
    public required long EmptyTexts { get; init; }

    /// <summary>Texts that are the same as an earlier one, prompts included: they stay, and count twice.</summary>
    public required long DuplicateTexts { get; init; }

    /// <summary>
    /// Texts of more tokens than a row holds (<see cref="TextGeneratorOptions.MaximumLength"/>): whole texts go on in further rows, of
    /// prompts and completions the beginning of the prompt is lost, or the end of what an encoder or its decoder reads. 0 where texts are
    /// joined (<see cref="RowPacking.Concatenated"/>).
    /// </summary>
    public required long CutTexts { get; init; }

    /// <summary>The most tokens of a row.</summary>
    public required int MaximumLength { get; init; }

    /// <summary>The rows of tokens that training goes through.</summary>
    public required int Rows { get; init; }

    /// <summary>The tokens of these rows.</summary>
    public required long Tokens { get; init; }

    /// <summary>The tokens of all texts that stand for what the vocabulary cannot express (<c>unk_token</c>).</summary>
    public required long UnknownTokens { get; init; }

    /// <summary>The rows of tokens that are held out for evaluation.</summary>
    public required int EvaluationRows { get; init; }

    /// <summary>One line with all counts.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Texts} texts make {Rows} rows of {Tokens} tokens, and {EvaluationRows} rows for evaluation; {EmptyTexts} empty texts, "
        + $"{DuplicateTexts} duplicates, {CutTexts} longer than {MaximumLength} tokens, {UnknownTokens} unknown tokens");
}
