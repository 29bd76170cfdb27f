namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Hangul syllables, which are made of their letters by counting (Unicode Standard, section 3.12).</summary>
internal static class HangulSyllables
{
    private const int Base = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TrailCount = 28;

    /// <summary>The letters of a syllable, or null.</summary>
    public static int[]? Decompose(int codePoint)
    {
        int index = codePoint - Base;
        if (index is < 0 or >= LeadCount * VowelCount * TrailCount)
            return null;
        int lead = LeadBase + index / (VowelCount * TrailCount);
        int vowel = VowelBase + index % (VowelCount * TrailCount) / TrailCount;
        int trail = index % TrailCount;
        return trail == 0 ? [lead, vowel] : [lead, vowel, TrailBase + trail];
    }

    /// <summary>The syllable of two letters, or of a syllable without a last letter and one, or null.</summary>
    public static int? Compose(int first, int second)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
            return Base + (lead * VowelCount + vowel) * TrailCount;
        int syllable = first - Base;
        int trail = second - TrailBase;
        return syllable is >= 0 and < LeadCount * VowelCount * TrailCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount
            ? first + trail : null;
    }
}
