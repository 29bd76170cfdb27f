using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>The pieces that a user defined: they are found in a text as they are and never taken apart.</summary>
internal sealed class PiecePrefixes
{
    private readonly CharacterTrie _trie = new();

    public PiecePrefixes(SentencePieceFile file)
    {
        for (int id = 0; id < file.Pieces.Count; id++)
        {
            if (file.Pieces[id].Kind == PieceKind.UserDefined)
                _trie.Add(file.Pieces[id].Text, id);
        }
    }

    /// <summary>The units of the longest such piece that a text begins with, or of its first character.</summary>
    public int FirstLength(ReadOnlySpan<char> text, out bool isPiece)
    {
        (int length, _) = _trie.FindLongest(text);
        isPiece = length > 0;
        return isPiece ? length : char.IsHighSurrogate(text[0]) && text.Length > 1 ? 2 : 1;
    }
}
