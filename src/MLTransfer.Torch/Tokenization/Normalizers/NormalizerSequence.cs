using System.Collections.Immutable;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Normalizers one after the other.</summary>
internal sealed class NormalizerSequence(ImmutableArray<INormalizer> parts) : INormalizer
{
    public void Normalize(AlignedText text)
    {
        foreach (INormalizer part in parts)
            part.Normalize(text);
    }
}
