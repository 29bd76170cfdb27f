using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Cuts at the matches of a pattern.</summary>
internal sealed class SplitPreTokenizer(ITextPattern pattern, SplitBehavior behavior, bool invert = false) : IPreTokenizer
{
    public void PreTokenize(TextPieces pieces) => pieces.Split(pattern, behavior, invert);
}
