using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization;

/// <summary>Reads the model of a tokenizer.json.</summary>
internal static class ModelReader
{
    private const string File = TokenizerFiles.Tokenizer;

    private static readonly StageReader<TokenizerDescription> s_reader = new("model", new()
    {
        ["BPE"] = ReadBytePairs,
        ["WordPiece"] = field => new TokenizerDescription { Model = ReadWordPiece(field) },
        ["WordLevel"] = field => new TokenizerDescription { Model = ReadWordLevel(field) },
        ["Unigram"] = field => new TokenizerDescription { Model = ReadUnigram(field) },
    });

    /// <summary>Reads a model; files of early versions leave its type out.</summary>
    public static TokenizerDescription Read(JsonField model)
    {
        if (model.Optional("type") is not null)
            return s_reader.Read(model);
        if (model.Has("merges"))
            return s_reader.Read(model, "BPE");
        if (model.Has("continuing_subword_prefix") || model.Has("max_input_chars_per_word"))
            return s_reader.Read(model, "WordPiece");
        if (model.Optional("vocab") is not JsonField vocabulary)
            return s_reader.Read(model);
        return s_reader.Read(model, vocabulary.IsArray ? "Unigram" : "WordLevel");
    }

    private static TokenizerDescription ReadBytePairs(JsonField field)
    {
        field.Only("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges",
            "vocab", "merges");
        if (field.Optional("dropout") is JsonField dropout && dropout.Number() > 0)
            throw new NotSupportedException($"{dropout.Where} is above 0 (random merges), which is not supported; expected null.");

        var vocabulary = TokenVocabulary.Read(field.Required("vocab"), File);
        string prefix = field.Optional("continuing_subword_prefix")?.Text() ?? "";
        return new TokenizerDescription
        {
            BytePairs = new BytePairOptions
            {
                Vocabulary = vocabulary,
                Merges = MergeList.Resolve(field.Required("merges").Items().Select(ReadMerge), vocabulary, File, prefix),
                MergesFile = File,
                UnknownToken = field.Optional("unk_token")?.Text(),
                FusesUnknown = field.FlagOr("fuse_unk", false),
                FallsBackToBytes = field.FlagOr("byte_fallback", false),
                IgnoresMerges = field.FlagOr("ignore_merges", false),
                ContinuingPrefix = prefix,
                EndSuffix = field.Optional("end_of_word_suffix")?.Text() ?? "",
            },
        };
    }

    private static WordPieceModel ReadWordPiece(JsonField field)
    {
        field.Only("unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab");
        return new WordPieceModel(
            TokenVocabulary.Read(field.Required("vocab"), File), field.Optional("unk_token")?.Text() ?? "[UNK]",
            field.Optional("continuing_subword_prefix")?.Text() ?? "##", field.Optional("max_input_chars_per_word")?.Count() ?? 100);
    }

    private static WordLevelModel ReadWordLevel(JsonField field)
    {
        field.Only("unk_token", "vocab");
        return new WordLevelModel(TokenVocabulary.Read(field.Required("vocab"), File), field.Optional("unk_token")?.Text() ?? "<unk>");
    }

    private static UnigramModel ReadUnigram(JsonField field)
    {
        field.Only("unk_id", "vocab", "byte_fallback");
        JsonField vocabulary = field.Required("vocab");
        (string, double)[] pieces =
            [.. vocabulary.Items().Select(piece => piece.Items().ToArray() is [{ IsText: true } token, JsonField score]
            ? (token.Text(), score.Number())
            : throw piece.Invalid("a token and its score"))];
        if (pieces.Length is 0 or > TokenVocabulary.MaximumSize)
            throw vocabulary.Invalid($"from 1 to {TokenVocabulary.MaximumSize} tokens");
        int? unknownId = field.Optional("unk_id")?.Id();
        if (unknownId >= pieces.Length)
            throw field.Required("unk_id").Invalid($"an id below {pieces.Length}");
        return new UnigramModel(pieces, unknownId, field.FlagOr("byte_fallback", false), File);
    }

    private static (string, string) ReadMerge(JsonField merge)
    {
        // Since version 0.20 of the format's library an array of two, before one text with a space.
        (string, string)? pair = merge.IsText ? MergeList.Split(merge.Text())
            : merge.IsArray && merge.Items().ToArray() is [{ IsText: true } left, { IsText: true } right]
                && left.Text() is { Length: > 0 } leftText && right.Text() is { Length: > 0 } rightText ? (leftText, rightText)
            : null;
        return pair ?? throw merge.Invalid("two tokens");
    }
}
