using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Removes marks of every kind.</summary>
internal sealed class StripAccentsNormalizer : INormalizer
{
    public void Normalize(AlignedText text) => text.Keep(rune => rune.IsAscii || !CharacterKinds.IsMark(rune));
}
