using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Drops every character that ASCII does not have.</summary>
internal sealed class AsciiNormalizer : INormalizer
{
    public void Normalize(AlignedText text) => text.Keep(static rune => rune.IsAscii);
}
