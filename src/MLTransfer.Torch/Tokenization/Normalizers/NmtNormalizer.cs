using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>SentencePiece's clean-up for translation: control characters go, other kinds of spaces become a space.</summary>
internal sealed class NmtNormalizer : INormalizer
{
    public void Normalize(AlignedText text)
    {
        text.Keep(rune => rune.Value is not (
            (>= 0x0001 and <= 0x0008) or 0x000B or (>= 0x000E and <= 0x001F) or 0x007F or 0x008F or 0x009F));
        var changes = new List<RuneChange>(text.Length);
        foreach (Rune rune in text.Units.EnumerateRunes())
        {
            bool isSpace = rune.Value is 0x0009 or 0x000A or 0x000C or 0x000D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029
                or 0x2581 or 0xFEFF or 0xFFFD;
            changes.Add(new RuneChange(isSpace ? new Rune(' ') : rune, 0));
        }

        text.Transform(CollectionsMarshal.AsSpan(changes));
    }
}
