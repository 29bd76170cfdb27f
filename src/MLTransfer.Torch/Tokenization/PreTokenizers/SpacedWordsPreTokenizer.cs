using System.Text;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Cuts at spaces, which go, and puts a character before every word.</summary>
internal sealed class SpacedWordsPreTokenizer(Rune beginning) : IPreTokenizer
{
    private static readonly LiteralPattern s_space = new(" ");

    public void PreTokenize(TextPieces pieces)
    {
        pieces.Split(s_space, SplitBehavior.Removed);
        pieces.Rewrite((_, start, end, writer) =>
        {
            writer.Insert(beginning, start);
            writer.Copy(start, end - start);
        });
    }
}
