namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// What <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> say, with the precedence that
/// transformers gives them: a configuration that lists its added tokens is complete; before that was usual, the two other files
/// had the word.
/// </summary>
internal sealed class TokenizerConfiguration
{
    /// <summary>The names of special tokens that every tokenizer may have.</summary>
    public static readonly string[] RoleNames =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>
    /// Special tokens by role, such as <c>bos_token</c>, in the order in which new ones get ids; null: none has that role.
    /// </summary>
    public Dictionary<string, AddedToken?> Roles { get; } = [];

    /// <summary>Special tokens without a role.</summary>
    public List<AddedToken> AdditionalSpecialTokens { get; } = [];

    /// <summary>Special tokens that have a name in this tokenizer alone.</summary>
    public List<(string Name, AddedToken Token)> NamedSpecialTokens { get; } = [];

    /// <summary>All special tokens without a role that every tokenizer may have.</summary>
    public IEnumerable<AddedToken> OtherSpecialTokens => AdditionalSpecialTokens.Concat(NamedSpecialTokens.Select(named => named.Token));

    /// <summary>Added tokens with their ids and the file that has them.</summary>
    public List<(AddedToken Token, int Id, string File)> AddedTokens { get; } = [];

    /// <summary>The Python class of the tokenizer.</summary>
    public string? TokenizerClass { get; private init; }

    /// <summary>The name of the class without the parts that classes of one tokenizer differ in; "" where the file does not say.</summary>
    public string Family => TokenizerClass is null ? ""
        : TokenizerClass.Replace("Fast", "", StringComparison.Ordinal).Replace("Tokenizer", "", StringComparison.Ordinal);

    /// <summary><c>tokenizer_config.json</c>, for what single classes read from it.</summary>
    public JsonField? Main { get; private init; }

    /// <summary>Whether a space is put before text; null where the file does not say.</summary>
    public bool? AddsPrefixSpace { get; private init; }

    /// <summary>Whether every text begins with the beginning-of-sequence token; null where the file does not say.</summary>
    public bool? AddsBeginningOfSequence { get; private init; }

    /// <summary>Whether every text ends with the end-of-sequence token; null where the file does not say.</summary>
    public bool? AddsEndOfSequence { get; private init; }

    /// <summary>Whether special tokens within a text are ordinary text.</summary>
    public bool SplitsSpecialTokens { get; private init; }

    /// <summary>Whether decoded text loses spaces that English does not write.</summary>
    public bool CleansUpSpaces { get; private init; }

    /// <summary>The longest sequence that the model takes.</summary>
    public int ModelMaximumLength { get; private init; } = int.MaxValue;

    public static TokenizerConfiguration Read(IReadOnlyDictionary<string, byte[]> files)
    {
        JsonField? Parse(string name) => files.TryGetValue(name, out byte[]? content) ? JsonField.Parse(content, name) : null;

        JsonField? main = Parse(TokenizerFiles.Configuration);
        var configuration = new TokenizerConfiguration
        {
            TokenizerClass = main?.Optional("tokenizer_class")?.Text(),
            Main = main,
            AddsPrefixSpace = main?.Optional("add_prefix_space")?.Flag(),
            AddsBeginningOfSequence = main?.Optional("add_bos_token")?.Flag(),
            AddsEndOfSequence = main?.Optional("add_eos_token")?.Flag(),
            SplitsSpecialTokens = main?.FlagOr("split_special_tokens", false) ?? false,
            CleansUpSpaces = main?.FlagOr("clean_up_tokenization_spaces", false) ?? false,
            ModelMaximumLength = ReadMaximumLength(main?.Optional("model_max_length")),
        };

        JsonField? map = Parse(TokenizerFiles.SpecialTokens);
        bool listsAddedTokens = main?.Optional("added_tokens_decoder") is not null;
        (JsonField? first, JsonField? second) = listsAddedTokens ? (main, map) : (map, main);
        configuration.ReadSpecialTokens(first, second);
        if (listsAddedTokens)
            configuration.ReadAddedTokensDecoder(main!.Value.Required("added_tokens_decoder"));
        else if (Parse(TokenizerFiles.AddedTokens) is JsonField added)
            configuration.ReadAddedTokensFile(added);
        return configuration;
    }

    private static int ReadMaximumLength(JsonField? field)
    {
        if (field is not JsonField length)
            return int.MaxValue;

        // transformers writes 1e30 for "no limit".
        return length.Number() switch
        {
            >= int.MaxValue => int.MaxValue,
            >= 1 and var limit => (int)limit,
            _ => throw length.Invalid("a positive number"),
        };
    }

    private void ReadSpecialTokens(JsonField? first, JsonField? second)
    {
        foreach (string role in RoleNames)
        {
            if ((first?.Has(role) == true ? first : second?.Has(role) == true ? second : null) is JsonField source)
                Roles[role] = source.Optional(role) is JsonField token ? ReadToken(token) : null;
        }

        if ((first?.Optional("additional_special_tokens") ?? second?.Optional("additional_special_tokens")) is JsonField additional)
            AdditionalSpecialTokens.AddRange(additional.Items().Select(ReadToken).OfType<AddedToken>());
        if ((first?.Optional("extra_special_tokens") ?? second?.Optional("extra_special_tokens")) is JsonField extra)
        {
            if (extra.IsArray)
                AdditionalSpecialTokens.AddRange(extra.Items().Select(ReadToken).OfType<AddedToken>());
            else
                NamedSpecialTokens.AddRange(extra.Properties().Select(named => (named.Name, Token: ReadToken(named.Value)))
                    .Where(named => named.Token is not null).Select(named => (named.Name, named.Token!)));
        }
    }

    /// <summary>Reads a token that is given as its text or with its flags; an empty text means none.</summary>
    private static AddedToken? ReadToken(JsonField field)
    {
        AddedToken token = field.IsText ? AddedToken.SpecialOf(field.Text()) : TokenizerJson.ReadAddedToken(field, special: true);
        return token.Content.Length > 0 ? token : null;
    }

    private void ReadAddedTokensDecoder(JsonField tokens)
    {
        var read = new SortedDictionary<int, AddedToken>();
        foreach ((string key, JsonField token) in tokens.Properties())
        {
            if (!int.TryParse(key, out int id) || id is < 0 or >= TokenVocabulary.MaximumSize || !read.TryAdd(
                id, TokenizerJson.ReadAddedToken(token, token.Optional("special")?.Flag() ?? false)))
            {
                throw new InvalidDataException(
                    $"{TokenizerFiles.Configuration}: added_tokens_decoder has '{key}'; expected token ids from 0 to "
                        + $"{TokenVocabulary.MaximumSize - 1}, each once.");
            }
        }

        AddedTokens.AddRange(read.Select(entry => (entry.Value, entry.Key, TokenizerFiles.Configuration)));
    }

    private void ReadAddedTokensFile(JsonField tokens)
    {
        foreach ((string content, JsonField id) in tokens.Properties())
        {
            // The flags of a token that has a role stand there; another one is ordinary.
            AddedToken token = Roles.Values.Concat(OtherSpecialTokens).FirstOrDefault(special => special?.Content == content)
                ?? new AddedToken(content, false, false, false, Normalized: true, Special: false);
            AddedTokens.Add((token, id.Id(), TokenizerFiles.AddedTokens));
        }
    }
}
