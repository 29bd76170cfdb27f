using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Removes marks of every kind.</summary>
internal sealed class StripAccentsNormalizer : INormalizer
{
    // By the tables of the reference, which are those of Unicode 9; three characters have become marks, or none, since.
    private static readonly CodePointSet s_marks = UnicodeProperties.ByName("M")!.Intersect(UnicodeProperties.OfVersion(9))
        .Union(CodePointSet.Of([(0x1CF2, 0x1CF3)])).Except(CodePointSet.Of(0x111C9));

    public void Normalize(AlignedText text) => text.Keep(rune => !s_marks.Contains(rune));
}
