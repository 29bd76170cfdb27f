using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Removes white space at the ends of a text.</summary>
internal sealed class StripNormalizer(bool atStart, bool atEnd) : INormalizer
{
    public void Normalize(AlignedText text)
    {
        // All white space is in the basic plane.
        int start = atStart ? text.Length - text.Units.TrimStart().Length : 0;
        int end = atEnd ? Math.Max(start, text.Units.TrimEnd().Length) : text.Length;
        text.Trim(start, end);
    }
}
