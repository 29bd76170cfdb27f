using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>What SentencePiece does with the pieces that its models find: unknown neighbours are one, or are written in bytes.</summary>
internal sealed class PieceOutput(SentencePieceFile file, TokenVocabulary vocabulary)
{
    private readonly int[]? _byteIds = file.FallsBackToBytes ? ByteTokens.IdsOf(vocabulary) : null;

    /// <summary>Appends pieces, given by where each begins and its id; -1 for one that is unknown.</summary>
    public void Add(ReadOnlySpan<char> text, List<(int Start, int Id)> pieces, TokenBuffer tokens)
    {
        for (int i = 0; i < pieces.Count; i++)
        {
            (int start, int id) = pieces[i];
            int end = i + 1 < pieces.Count ? pieces[i + 1].Start : text.Length;
            if (id >= 0 && id != file.UnknownId)
            {
                tokens.Add(id, start, end);
            }
            else if (_byteIds is not null && ByteTokens.TryEncode(text[start..end], _byteIds, out int[] ids))
            {
                // The last byte stands for the whole.
                for (int part = 0; part < ids.Length; part++)
                    tokens.Add(ids[part], start, part == ids.Length - 1 ? end : start);
            }
            else
            {
                while (i + 1 < pieces.Count && (pieces[i + 1].Id < 0 || pieces[i + 1].Id == file.UnknownId))
                    i++;
                tokens.Add(file.UnknownId, start, i + 1 < pieces.Count ? pieces[i + 1].Start : text.Length);
            }
        }
    }
}
