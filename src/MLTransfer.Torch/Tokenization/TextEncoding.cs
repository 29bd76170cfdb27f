namespace MLTransfer.Torch.Tokenization;

/// <summary>The tokens of one text, or of a pair, with what is known of each; all lists have the same length.</summary>
public sealed class TextEncoding
{
    /// <summary>Token ids.</summary>
    public required IReadOnlyList<int> Ids { get; init; }

    /// <summary>
    /// The tokens as the vocabulary writes them. An added token is shown as it stands in the text, with the white space that it took along.
    /// </summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>
    /// The UTF-16 units of its text that each token stands for: the first one, and one past the last. Tokens that are part of one character
    /// have its span; special tokens and padding have (0, 0).
    /// </summary>
    public required IReadOnlyList<(int Start, int End)> Offsets { get; init; }

    /// <summary>Token types, as a rule 0 for the first text and 1 for the second.</summary>
    public required IReadOnlyList<int> TypeIds { get; init; }

    /// <summary>1 for a token that was put around a text, or is padding; 0 for one that stands for text.</summary>
    public required IReadOnlyList<int> SpecialTokensMask { get; init; }

    /// <summary>0 for padding, else 1.</summary>
    public required IReadOnlyList<int> AttentionMask { get; init; }

    /// <summary>The text that each token is of: 0, 1, or null for one that stands for none.</summary>
    public required IReadOnlyList<int?> SequenceIds { get; init; }

    /// <summary>The parts that did not fit, in order, where the text was cut.</summary>
    public required IReadOnlyList<TextEncoding> Overflowing { get; init; }
}
