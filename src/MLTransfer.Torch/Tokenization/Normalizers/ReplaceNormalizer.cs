using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Replaces what a pattern matches by a text, which is taken as it is.</summary>
internal sealed class ReplaceNormalizer(ITextPattern pattern, string content) : INormalizer
{
    public void Normalize(AlignedText text) => text.Replace(pattern, content);
}
