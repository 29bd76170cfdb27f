namespace MLTransfer.Torch.Tokenization.Gguf;

/// <summary>The names of <c>tokenizer.ggml.model</c>, and the keys beside it.</summary>
internal static class GgufTokenizerKeys
{
    /// <summary>Byte-pair merges over bytes that are written as characters.</summary>
    public const string BytePairs = "gpt2";

    /// <summary>SentencePiece's byte pairs, by scores; bytes for what has no token.</summary>
    public const string Pieces = "llama";

    /// <summary>SentencePiece's unigram model.</summary>
    public const string Unigram = "t5";

    public const string Model = "tokenizer.ggml.model";
    public const string PreTokenizer = "tokenizer.ggml.pre";
    public const string Tokens = "tokenizer.ggml.tokens";
    public const string Scores = "tokenizer.ggml.scores";
    public const string Kinds = "tokenizer.ggml.token_type";
    public const string Merges = "tokenizer.ggml.merges";
    public const string AddsBeginning = "tokenizer.ggml.add_bos_token";
    public const string AddsEnd = "tokenizer.ggml.add_eos_token";
    public const string AddsSpace = "tokenizer.ggml.add_space_prefix";
    public const string RemovesSpaces = "tokenizer.ggml.remove_extra_whitespaces";
    public const string CharacterMap = "tokenizer.ggml.precompiled_charsmap";
    public const string EndOfTurn = "tokenizer.ggml.eot_token_id";
    public const string ChatTemplate = "tokenizer.chat_template";
    public const string ChatTemplates = "tokenizer.chat_templates";

    /// <summary>Roles of tokens, and the keys of their ids.</summary>
    public static readonly (string Role, string Key)[] Roles =
    [
        ("bos_token", "tokenizer.ggml.bos_token_id"), ("eos_token", "tokenizer.ggml.eos_token_id"),
        ("unk_token", "tokenizer.ggml.unknown_token_id"), ("pad_token", "tokenizer.ggml.padding_token_id"),
        ("sep_token", "tokenizer.ggml.seperator_token_id"), ("cls_token", "tokenizer.ggml.cls_token_id"),
        ("mask_token", "tokenizer.ggml.mask_token_id"),
    ];
}
