using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Cuts into pieces of so many characters; the last one may be shorter.</summary>
internal sealed class FixedLengthPreTokenizer(int length) : IPreTokenizer
{
    public void PreTokenize(TextPieces pieces) => pieces.Cut(Cut);

    private void Cut(ReadOnlySpan<char> piece, List<(int Start, int End)> parts)
    {
        int start = 0;
        int count = 0;
        for (int position = 0; position < piece.Length;)
        {
            position += char.IsHighSurrogate(piece[position]) ? 2 : 1;
            if (++count < length && position < piece.Length)
                continue;
            parts.Add((start, position));
            (start, count) = (position, 0);
        }
    }
}
