namespace MLTransfer.Torch.Tokenization;

/// <summary>How texts are cut to length and padded.</summary>
public sealed class EncodingOptions
{
    /// <summary>The most tokens a row may have, special tokens included; longer texts are truncated. Null: no limit.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>The side at which tokens of an overlong text are dropped.</summary>
    public SequenceSide TruncationSide { get; init; } = SequenceSide.Right;

    /// <summary>Which text of a pair is cut.</summary>
    public TruncationStrategy TruncationStrategy { get; init; } = TruncationStrategy.LongestFirst;

    /// <summary>The tokens that a part which did not fit shares with the one before it (<see cref="TextEncoding.Overflowing"/>).</summary>
    public int Stride { get; init; }

    /// <summary>
    /// Whether <see cref="TextTokenizer.EncodeTexts"/> pads; <see cref="TextTokenizer.EncodeBatch"/> always makes a rectangle.
    /// </summary>
    public bool Pads { get; init; } = true;

    /// <summary>
    /// The side at which padding is added. Decoder-only models generate from <see cref="SequenceSide.Left"/>-padded prompts.
    /// </summary>
    public SequenceSide PaddingSide { get; init; } = SequenceSide.Right;

    /// <summary>Rows are padded to at least this many tokens. Null: to the longest row.</summary>
    public int? PadToLength { get; init; }

    /// <summary>The length of the rows is rounded up to a multiple of this number. Null: not rounded.</summary>
    public int? PadToMultipleOf { get; init; }

    /// <summary>
    /// The id that fills the padding. Null: the tokenizer's padding token, or its end-of-sequence token where it has no padding
    /// token, as is usual for GPT-2. The attention mask is 0 there, so that the choice does not change what a model computes.
    /// </summary>
    public int? PaddingId { get; init; }

    /// <summary>The token type of padding.</summary>
    public int PaddingTypeId { get; init; }

    /// <summary>What <see cref="TextEncoding.Tokens"/> shows for padding. Null: the token of its id.</summary>
    public string? PaddingToken { get; init; }

    /// <summary>
    /// Whether special tokens within a text are ordinary text. Null: as the tokenizer's files say (<c>split_special_tokens</c>), which is
    /// false as a rule.
    /// </summary>
    public bool? SplitSpecialTokens { get; init; }

    /// <summary>Whether the tokenizer's own leading and trailing special tokens are added.</summary>
    public bool AddSpecialTokens { get; init; } = true;
}
