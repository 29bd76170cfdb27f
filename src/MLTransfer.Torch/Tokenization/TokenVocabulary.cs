namespace MLTransfer.Torch.Tokenization;

/// <summary>Tokens and their ids, each once.</summary>
internal sealed class TokenVocabulary(string file)
{
    /// <summary>The largest vocabulary accepted; published ones reach a quarter of a million tokens.</summary>
    public const int MaximumSize = 1 << 22;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _tokens = [];

    /// <summary>Token to id.</summary>
    public Dictionary<string, int> Ids => _ids;

    /// <summary>One more than the highest id.</summary>
    public int Size { get; private set; }

    /// <summary>Reads an object of token to id.</summary>
    public static TokenVocabulary Read(JsonField tokens, string file)
    {
        var vocabulary = new TokenVocabulary(file);
        foreach ((string token, JsonField id) in tokens.Properties())
            vocabulary.Add(token, id.Id(), file);
        return vocabulary.Size > 0 ? vocabulary : throw new InvalidDataException($"{file}: the vocabulary is empty.");
    }

    /// <summary>A vocabulary of the same tokens that can be added to.</summary>
    public TokenVocabulary Copy()
    {
        var copy = new TokenVocabulary(file) { Size = Size };
        foreach ((string token, int id) in _ids)
            copy._ids.Add(token, id);
        foreach ((int id, string token) in _tokens)
            copy._tokens.Add(id, token);
        return copy;
    }

    /// <summary>Adds a token, which may be there already if it has the same id.</summary>
    public void Add(string token, int id, string source)
    {
        if (_ids.TryGetValue(token, out int known) && known != id)
            throw new InvalidDataException($"{source}: token '{token}' has id {id}, but {file} gives it id {known}.");
        if (_tokens.TryGetValue(id, out string? other) && other != token)
            throw new InvalidDataException($"{source}: token '{token}' has id {id}, which token '{other}' has already.");
        Set(token, id);
    }

    /// <summary>Adds a token; of one that is there already the later id is found.</summary>
    public void Set(string token, int id)
    {
        _ids[token] = id;
        _tokens[id] = token;
        Size = Math.Max(Size, id + 1);
    }

    /// <summary>The token of an id, or null.</summary>
    public string? TokenOf(int id) => _tokens.GetValueOrDefault(id);

    /// <summary>The tokens by id; null for an id that no token has.</summary>
    public string?[] ToArray()
    {
        string?[] tokens = new string?[Size];
        foreach ((int id, string token) in _tokens)
            tokens[id] = token;
        return tokens;
    }
}
