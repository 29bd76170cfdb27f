namespace MLTransfer.Torch.Tokenization;

/// <summary>How <see cref="TextTokenizer.EncodeBatch"/> cuts texts to length and pads them to one rectangle.</summary>
public sealed class EncodingOptions
{
    /// <summary>The most tokens a row may have, special tokens included; longer texts are truncated. Null: no limit.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>The side at which tokens of an overlong text are dropped.</summary>
    public SequenceSide TruncationSide { get; init; } = SequenceSide.Right;

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

    /// <summary>Whether the tokenizer's own leading and trailing special tokens are added.</summary>
    public bool AddSpecialTokens { get; init; } = true;
}
