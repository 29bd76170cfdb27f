namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>A word is a token as it is, or the unknown token.</summary>
internal sealed class WordLevelModel : ITokenModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly string _unknownToken;
    private readonly int? _unknownId;

    public WordLevelModel(TokenVocabulary vocabulary, string unknownToken)
    {
        Vocabulary = vocabulary;
        _ids = vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _unknownToken = unknownToken;
        _unknownId = vocabulary.Ids.TryGetValue(unknownToken, out int id) ? id : null;
    }

    public TokenVocabulary Vocabulary { get; }

    public void Tokenize(ReadOnlySpan<char> word, TokenBuffer tokens) => tokens.Add(
        _ids.TryGetValue(word, out int id) ? id : _unknownId ?? throw UnknownText.WithoutToken(word, _unknownToken), 0, word.Length);
}
