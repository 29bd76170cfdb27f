namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>
/// WordPiece (Wu et al., arXiv 1609.08144, as in BERT's release): from the left always the longest token; a word that cannot be made of
/// tokens, or is too long, is the unknown token as a whole.
/// </summary>
internal sealed class WordPieceModel : ITokenModel
{
    private readonly CharacterTrie _first = new();
    private readonly CharacterTrie _continuing = new();
    private readonly int _maximumCharacters;
    private readonly string _unknownToken;
    private readonly int? _unknownId;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="unknownToken">The token for a word that cannot be made of tokens.</param>
    /// <param name="continuingPrefix">What tokens begin with that go on within a word.</param>
    /// <param name="maximumCharacters">The most characters of a word that is looked at.</param>
    public WordPieceModel(TokenVocabulary vocabulary, string unknownToken, string continuingPrefix, int maximumCharacters)
    {
        (Vocabulary, ContinuingPrefix) = (vocabulary, continuingPrefix);
        _unknownToken = unknownToken;
        _unknownId = vocabulary.Ids.TryGetValue(unknownToken, out int unknown) ? unknown : null;
        _maximumCharacters = maximumCharacters;
        foreach ((string token, int id) in vocabulary.Ids)
        {
            if (token.Length == 0)
                continue;
            _first.Add(token, id);
            if (token.Length > continuingPrefix.Length && token.StartsWith(continuingPrefix, StringComparison.Ordinal))
                _continuing.Add(token.AsSpan(continuingPrefix.Length), id);
        }
    }

    public TokenVocabulary Vocabulary { get; }

    /// <summary>What tokens begin with that go on within a word.</summary>
    public string ContinuingPrefix { get; }

    public void Tokenize(ReadOnlySpan<char> word, TokenBuffer tokens)
    {
        int first = tokens.Ids.Count;
        for (int start = 0; start < word.Length;)
        {
            (int length, int id) = (start == 0 ? _first : _continuing).FindLongest(word[start..]);
            if (length == 0 || start == 0 && IsTooLong(word))
            {
                tokens.Ids.RemoveRange(first, tokens.Ids.Count - first);
                tokens.Units?.RemoveRange(first, tokens.Units.Count - first);
                tokens.Add(_unknownId ?? throw UnknownText.WithoutToken(word, _unknownToken), 0, word.Length);
                return;
            }

            tokens.Add(id, start, start + length);
            start += length;
        }
    }

    private bool IsTooLong(ReadOnlySpan<char> word)
    {
        if (word.Length <= _maximumCharacters)
            return false;
        int count = 0;
        foreach (char unit in word)
            count += char.IsLowSurrogate(unit) ? 0 : 1;
        return count > _maximumCharacters;
    }
}
