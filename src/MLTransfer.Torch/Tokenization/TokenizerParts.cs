using MLTransfer.Torch.Tokenization.Conversion;

namespace MLTransfer.Torch.Tokenization;

/// <summary>A tokenizer's stages, tokens and configuration, as all its files together say.</summary>
internal sealed class TokenizerParts
{
    private TokenizerParts(
        IReadOnlyDictionary<string, byte[]> files, TokenizerDescription description, TokenizerConfiguration configuration)
    {
        Files = files;
        Description = description;
        Configuration = configuration;
        Vocabulary = description.Vocabulary.Copy();
        foreach ((string role, string token) in ClassDefaults.Roles(configuration.Family))
        {
            if (Vocabulary.Ids.ContainsKey(token) || description.AddedTokens.Any(added => added.Token.Content == token))
                configuration.Roles.TryAdd(role, AddedToken.SpecialOf(token));
        }

        AddedTokens = CollectAddedTokens(description);
        UnknownId = IdOf("unk_token")?.Id ?? (description.BytePairs?.UnknownToken is string unknown
            ? Vocabulary.Ids[unknown] : description.Model?.UnknownIdShownAsText);
        Description = ConfiguredStages.Apply(description, configuration, IdOf);
    }

    public IReadOnlyDictionary<string, byte[]> Files { get; }

    public TokenizerDescription Description { get; }

    public TokenizerConfiguration Configuration { get; }

    /// <summary>All tokens, the added ones too.</summary>
    public TokenVocabulary Vocabulary { get; }

    /// <summary>The added tokens by text.</summary>
    public Dictionary<string, (AddedToken Token, int Id)> AddedTokens { get; }

    /// <summary>The id of the token for what the vocabulary cannot express.</summary>
    public int? UnknownId { get; }

    public static TokenizerParts Read(IReadOnlyDictionary<string, byte[]> files)
    {
        var configuration = TokenizerConfiguration.Read(files);
        return new TokenizerParts(files, ReadDescription(files, configuration), configuration);
    }

    /// <summary>The token that has a role, such as <c>bos_token</c>.</summary>
    public (int Id, string Token)? IdOf(string role) =>
        Configuration.Roles.GetValueOrDefault(role) is AddedToken token ? (Vocabulary.Ids[token.Content], token.Content)
            : Description.RoleIds.TryGetValue(role, out int id) ? (id, Vocabulary.TokenOf(id)!) : null;

    private static TokenizerDescription ReadDescription(IReadOnlyDictionary<string, byte[]> files, TokenizerConfiguration configuration)
    {
        if (files.TryGetValue(TokenizerFiles.Tokenizer, out byte[]? tokenizer))
            return TokenizerJson.Read(tokenizer);
        if (files.ContainsKey(TokenizerFiles.Vocabulary) && files.ContainsKey(TokenizerFiles.Merges))
            return VocabularyFolder.ReadMerges(files, configuration);
        if (files.ContainsKey(TokenizerFiles.WordPieces))
            return VocabularyFolder.ReadWordPieces(files, configuration);
        return files.ContainsKey(TokenizerFiles.ClipMerges) ? VocabularyFolder.ReadClipMerges(files) : ModelFile.Read(files, configuration);
    }

    /// <summary>
    /// The added tokens by text, with the flags of the last file that lists them, in transformers' order: the tokenizer's own, the
    /// configuration's, then special tokens that neither lists, which get the next free ids if the vocabulary lacks them.
    /// </summary>
    private Dictionary<string, (AddedToken Token, int Id)> CollectAddedTokens(TokenizerDescription description)
    {
        var added = new Dictionary<string, (AddedToken Token, int Id)>(StringComparer.Ordinal);
        foreach ((AddedToken token, int id, string file) in
            description.AddedTokens.Select(entry => (entry.Token, entry.Id, TokenizerFiles.Tokenizer)).Concat(Configuration.AddedTokens))
        {
            if (token.Content.Length == 0)
                throw new InvalidDataException($"{file}: the added token of id {id} is empty.");
            Vocabulary.Add(token.Content, id, file);
            added[token.Content] = (token, id);
        }

        foreach (AddedToken special in Configuration.Roles.Values.OfType<AddedToken>().Concat(Configuration.OtherSpecialTokens))
        {
            if (added.TryGetValue(special.Content, out (AddedToken Token, int Id) known))
            {
                added[special.Content] = (known.Token with { Special = true }, known.Id);
                continue;
            }

            if (!Vocabulary.Ids.TryGetValue(special.Content, out int id))
                Vocabulary.Add(special.Content, id = Vocabulary.Size, TokenizerFiles.Configuration);
            added[special.Content] = (special, id);
        }

        return added;
    }
}
