using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Puts a text before every text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : INormalizer
{
    public void Normalize(AlignedText text) => text.Prepend(prefix);
}
