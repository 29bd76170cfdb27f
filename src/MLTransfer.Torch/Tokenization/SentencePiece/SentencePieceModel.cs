using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>A model of a SentencePiece file.</summary>
internal abstract class SentencePieceModel : ITokenModel
{
    private readonly PieceOutput _output;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    protected SentencePieceModel(SentencePieceFile file, string name)
    {
        File = file;
        Prefixes = new PiecePrefixes(file);
        Vocabulary = new TokenVocabulary(name);
        for (int id = 0; id < file.Pieces.Count; id++)
        {
            (string text, _, PieceKind kind) = file.Pieces[id];
            Vocabulary.Set(text, id);
            if (kind is PieceKind.Normal or PieceKind.UserDefined or PieceKind.Unused)
                _ids[text] = id;
        }

        Ids = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _output = new PieceOutput(file, Vocabulary);
    }

    public TokenVocabulary Vocabulary { get; }

    public int? UnknownIdShownAsText => File.UnknownId;

    protected SentencePieceFile File { get; }

    protected PiecePrefixes Prefixes { get; }

    /// <summary>The pieces that text can be made of.</summary>
    protected Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Ids { get; }

    public static SentencePieceModel Create(SentencePieceFile file, string name) => file.ModelType switch
    {
        1 => new PieceUnigramModel(file, name),
        2 => new PieceMergeModel(file, name),
        _ => new PieceSplitModel(file, name),
    };

    public void Tokenize(ReadOnlySpan<char> word, TokenBuffer tokens)
    {
        var pieces = new List<(int Start, int Id)>();
        Find(word, pieces);
        _output.Add(word, pieces, tokens);
    }

    /// <summary>Appends the pieces of a text: where each begins, and its id, or -1.</summary>
    protected abstract void Find(ReadOnlySpan<char> text, List<(int Start, int Id)> pieces);

    protected int IdOf(ReadOnlySpan<char> piece) => Ids.TryGetValue(piece, out int id) ? id : -1;
}
