using System.Collections.Immutable;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Pre-tokenizers one after the other, each on the pieces of the one before.</summary>
internal sealed class PreTokenizerSequence(ImmutableArray<IPreTokenizer> parts) : IPreTokenizer
{
    public ImmutableArray<IPreTokenizer> Parts { get; } = parts;

    public void PreTokenize(TextPieces pieces)
    {
        foreach (IPreTokenizer part in Parts)
            part.PreTokenize(pieces);
    }
}
