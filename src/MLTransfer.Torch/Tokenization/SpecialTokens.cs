namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// The special tokens of a trained tokenizer by role, as <c>tokenizer_config.json</c> names them. Roles may share a token. They get the
/// first ids, in the order of the properties.
/// </summary>
public sealed record SpecialTokens
{
    /// <summary><c>pad_token</c>: fills rows up.</summary>
    public string? Padding { get; init; }

    /// <summary><c>unk_token</c>: stands for what the vocabulary cannot express.</summary>
    public string? Unknown { get; init; }

    /// <summary><c>cls_token</c>: begins a text for BERT.</summary>
    public string? Classification { get; init; }

    /// <summary><c>sep_token</c>: ends a text for BERT.</summary>
    public string? Separator { get; init; }

    /// <summary><c>mask_token</c>: what a masked language model fills in.</summary>
    public string? Mask { get; init; }

    /// <summary><c>bos_token</c>: begins a sequence.</summary>
    public string? BeginningOfSequence { get; init; }

    /// <summary><c>eos_token</c>: ends a sequence.</summary>
    public string? EndOfSequence { get; init; }

    /// <summary>Tokens without a role, such as marks of turns.</summary>
    public IReadOnlyList<string> Additional { get; init; } = [];

    /// <summary>The roles that have a token, with the names that files give them.</summary>
    internal IEnumerable<(string Role, string Token)> Roles => ((string Role, string? Token)[])
    [
        ("pad_token", Padding), ("unk_token", Unknown), ("cls_token", Classification), ("sep_token", Separator), ("mask_token", Mask),
        ("bos_token", BeginningOfSequence), ("eos_token", EndOfSequence),
    ] is var roles ? roles.Where(role => role.Token is not null).Select(role => (role.Role, role.Token!)) : [];

    /// <summary>All of them, each once, in the order of their ids.</summary>
    internal IReadOnlyList<string> All => [.. Roles.Select(role => role.Token).Concat(Additional).Distinct(StringComparer.Ordinal)];

    /// <summary>The tokens that models of a kind are usually trained with.</summary>
    /// <param name="kind">The kind.</param>
    public static SpecialTokens Of(TokenizerKind kind) => kind switch
    {
        TokenizerKind.ByteLevelBytePairs => new() { BeginningOfSequence = "<|endoftext|>", EndOfSequence = "<|endoftext|>" },
        TokenizerKind.WordPiece => new()
        {
            Padding = "[PAD]",
            Unknown = "[UNK]",
            Classification = "[CLS]",
            Separator = "[SEP]",
            Mask = "[MASK]",
        },
        _ => new() { Unknown = "<unk>", BeginningOfSequence = "<s>", EndOfSequence = "</s>" },
    };
}
