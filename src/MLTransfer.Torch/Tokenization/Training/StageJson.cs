using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>The stages of a trained tokenizer around its model, as <c>tokenizer.json</c> writes them.</summary>
internal static class StageJson
{
    private const string Space = "▁";

    /// <summary>What changes text before words are cut, or null.</summary>
    public static JsonObject? Normalizer(TokenizerTrainingOptions options)
    {
        var stages = new List<JsonObject>();
        switch (options.UsedNormalization)
        {
            case TextNormalization.Bert:
                return Stage(
                    "BertNormalizer", ("clean_text", true), ("handle_chinese_chars", true), ("strip_accents", options.StripsAccents),
                    ("lowercase", options.Lowercases));
            case TextNormalization.SentencePiece:
                stages.AddRange([Stage("Nmt"), Stage("NFKC"),
                    Stage("Replace", ("pattern", new JsonObject { ["Regex"] = " {2,}" }), ("content", " "))]);
                break;
            case TextNormalization.Nfc:
                stages.Add(Stage("NFC"));
                break;
            case TextNormalization.Nfkc:
                stages.Add(Stage("NFKC"));
                break;
        }

        if (options.Lowercases)
            stages.Add(Stage("Lowercase"));
        if (options.StripsAccents == true)
            stages.AddRange([Stage("NFD"), Stage("StripAccents")]);
        return stages.Count switch
        {
            0 => null,
            1 => stages[0],
            _ => Stage("Sequence", ("normalizers", new JsonArray([.. stages]))),
        };
    }

    /// <summary>What cuts words.</summary>
    public static JsonObject PreTokenizer(TokenizerKind kind) => kind switch
    {
        TokenizerKind.ByteLevelBytePairs => ByteLevel(),
        TokenizerKind.Unigram => Metaspace(),
        TokenizerKind.WordPiece => Stage("BertPreTokenizer"),
        _ => Stage("Whitespace"),
    };

    /// <summary>What puts special tokens around texts, or trims places; null: nothing.</summary>
    /// <param name="options">The options.</param>
    /// <param name="idOf">The id of a special token.</param>
    public static JsonObject? PostProcessor(TokenizerTrainingOptions options, Func<string, int> idOf) => options switch
    {
        { Kind: TokenizerKind.ByteLevelBytePairs } => ByteLevel(),
        { Kind: TokenizerKind.WordPiece, Specials: { Classification: string first, Separator: string last } } => Stage("BertProcessing",
            ("sep", new JsonArray(last, idOf(last))), ("cls", new JsonArray(first, idOf(first)))),
        _ => null,
    };

    /// <summary>What makes text of tokens; null: spaces between them.</summary>
    public static JsonObject? Decoder(TokenizerTrainingOptions options) => options.Kind switch
    {
        TokenizerKind.ByteLevelBytePairs => ByteLevel(),
        TokenizerKind.Unigram => Metaspace(),
        TokenizerKind.WordPiece => Stage("WordPiece", ("prefix", options.ContinuingPrefix), ("cleanup", true)),
        _ => null,
    };

    private static JsonObject ByteLevel() =>
        Stage("ByteLevel", ("add_prefix_space", false), ("trim_offsets", true), ("use_regex", true));

    private static JsonObject Metaspace() => Stage("Metaspace", ("replacement", Space), ("prepend_scheme", "always"), ("split", true));

    private static JsonObject Stage(string type, params ReadOnlySpan<(string Name, JsonNode? Value)> options)
    {
        var stage = new JsonObject { ["type"] = type };
        foreach ((string name, JsonNode? value) in options)
            stage.Add(name, value);
        return stage;
    }
}
