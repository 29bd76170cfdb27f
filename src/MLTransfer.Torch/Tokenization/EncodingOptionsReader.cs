namespace MLTransfer.Torch.Tokenization;

/// <summary>Reads the truncation and padding of a tokenizer.json.</summary>
internal static class EncodingOptionsReader
{
    public static EncodingOptions? Read(JsonField? truncation, JsonField? padding)
    {
        if (truncation is null && padding is null)
            return null;
        truncation?.Only("direction", "max_length", "strategy", "stride");
        padding?.Only("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token");
        int? multiple = padding?.Optional("pad_to_multiple_of")?.Count();
        return new EncodingOptions
        {
            MaximumLength = truncation?.Required("max_length").Count(),
            TruncationSide = ReadSide(truncation),
            TruncationStrategy = ReadStrategy(truncation?.Optional("strategy")),
            Stride = truncation?.Optional("stride")?.Count() ?? 0,
            Pads = padding is not null,
            PadToLength = padding?.Required("strategy") is JsonField strategy ? ReadPadLength(strategy) : null,
            PadToMultipleOf = multiple > 0 ? multiple : null,
            PaddingSide = ReadSide(padding),
            PaddingId = padding?.Optional("pad_id")?.Id() ?? (padding is null ? null : 0),
            PaddingTypeId = padding?.Optional("pad_type_id")?.Count() ?? 0,
            PaddingToken = padding is null ? null : padding?.Optional("pad_token")?.Text() ?? "[PAD]",
        };
    }

    private static SequenceSide ReadSide(JsonField? part) => part?.Optional("direction") is not JsonField direction ? SequenceSide.Right
        : direction.Text() switch
        {
            "Left" => SequenceSide.Left,
            "Right" => SequenceSide.Right,
            _ => throw direction.Invalid("'Left' or 'Right'"),
        };

    private static TruncationStrategy ReadStrategy(JsonField? field) => field is not JsonField strategy ? TruncationStrategy.LongestFirst
        : strategy.Text() switch
        {
            "LongestFirst" => TruncationStrategy.LongestFirst,
            "OnlyFirst" => TruncationStrategy.OnlyFirst,
            "OnlySecond" => TruncationStrategy.OnlySecond,
            _ => throw strategy.Invalid("'LongestFirst', 'OnlyFirst' or 'OnlySecond'"),
        };

    private static int? ReadPadLength(JsonField strategy) => strategy.IsText
        ? strategy.Text() == "BatchLongest" ? null : throw strategy.Invalid("'BatchLongest' or a Fixed length")
        : strategy.Only("Fixed").Required("Fixed").Count();
}
