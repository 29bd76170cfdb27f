using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Lower case, character by character: no final sigma, and 'İ' gives two characters.</summary>
internal sealed class LowercaseNormalizer : INormalizer
{
    private const char DottedCapitalI = '\u0130';

    public void Normalize(AlignedText text)
    {
        bool changes = false;
        foreach (Rune rune in text.Units.EnumerateRunes())
            changes |= rune.Value == DottedCapitalI || CaseFolding.ToLower(rune) != rune;
        if (!changes)
            return;

        var lower = new List<RuneChange>(text.Length + 1);
        foreach (Rune rune in text.Units.EnumerateRunes())
        {
            if (rune.Value == DottedCapitalI)
            {
                lower.Add(new RuneChange(new Rune('i'), 0));
                lower.Add(new RuneChange(new Rune('\u0307'), 1));
            }
            else
            {
                lower.Add(new RuneChange(CaseFolding.ToLower(rune), 0));
            }
        }

        text.Transform(CollectionsMarshal.AsSpan(lower));
    }
}
