using System.Globalization;

namespace MLTransfer;

/// <summary>What a text generator is tuned on by preferences, counted before training.</summary>
public sealed record PreferenceDataReport
{
    /// <summary>The pairs of texts; those held out for evaluation are among them, where they are a share of the data.</summary>
    public required long Pairs { get; init; }

    /// <summary>Rows of the data without a text, or without a score: they are left out.</summary>
    public required long EmptyRows { get; init; }

    /// <summary>Pairs whose prompt fills a row, or of which a text has no token: they are left out.</summary>
    public required long UnusablePairs { get; init; }

    /// <summary>Pairs that are the same as an earlier one: they stay, and count twice.</summary>
    public required long DuplicatePairs { get; init; }

    /// <summary>Pairs of two equal texts: they stay, and teach nothing.</summary>
    public required long EqualPairs { get; init; }

    /// <summary>Pairs with a text of more tokens than a row holds (<see cref="TextPreferenceOptions.MaximumLength"/>), which loses its
    /// end.</summary>
    public required long CutPairs { get; init; }

    /// <summary>The most tokens of a prompt with a text.</summary>
    public required int MaximumLength { get; init; }

    /// <summary>The pairs that training goes through.</summary>
    public required int TrainingPairs { get; init; }

    /// <summary>The tokens of these pairs, prompts counted with each of their texts.</summary>
    public required long Tokens { get; init; }

    /// <summary>The tokens of all pairs that stand for what the vocabulary cannot express (<c>unk_token</c>).</summary>
    public required long UnknownTokens { get; init; }

    /// <summary>The pairs that are held out for evaluation.</summary>
    public required int EvaluationPairs { get; init; }

    /// <summary>One line with all counts.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Pairs} pairs, of which {TrainingPairs} of {Tokens} tokens are trained on and {EvaluationPairs} are for evaluation; "
        + $"{EmptyRows} empty rows, {UnusablePairs} unusable pairs, {DuplicatePairs} duplicates, {EqualPairs} of equal texts, "
        + $"{CutPairs} longer than {MaximumLength} tokens, {UnknownTokens} unknown tokens");
}
