using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Joins characters with the marks after them (Unicode Standard, section 3.11), and keeps count of what they stand for.</summary>
internal static class UnicodeComposition
{
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TrailCount = 28;

    private static readonly Lazy<Dictionary<(int, int), int>> s_pairs = new(CollectPairs);

    /// <summary>Composes decomposed text in canonical order.</summary>
    public static List<RuneChange> Compose(List<RuneChange> text)
    {
        var composed = new List<RuneChange>(text.Count);
        int starter = -1;     // the place in the new text of the character that marks may join
        int lastClass = -1;   // the class of the mark before, if it did not join
        foreach (RuneChange next in text)
        {
            int combiningClass = UnicodeProperties.CombiningClass(next.Rune.Value);
            bool isBlocked = lastClass >= combiningClass;
            if (starter >= 0 && !isBlocked && Pair(composed[starter].Rune.Value, next.Rune.Value) is int joined)
            {
                composed[starter] = new RuneChange(new Rune(joined), composed[starter].Change + next.Change - 1);
                continue;
            }

            composed.Add(next);
            if (combiningClass == 0)
                (starter, lastClass) = (composed.Count - 1, -1);
            else if (starter >= 0)
                lastClass = combiningClass;
        }

        return composed;
    }

    private static int? Pair(int first, int second)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
            return SyllableBase + (lead * VowelCount + vowel) * TrailCount;
        int syllable = first - SyllableBase;
        int trail = second - TrailBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TrailCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
            return first + trail;
        return second >= 0x300 && s_pairs.Value.TryGetValue((first, second), out int joined) ? joined : null;
    }

    /// <summary>The pairs that .NET's normalization joins, which is told by taking every character apart and putting it together.</summary>
    private static Dictionary<(int, int), int> CollectPairs()
    {
        var pairs = new Dictionary<(int, int), int>();
        for (int value = 0xC0; value < 0x20000; value++)
        {
            if (!Rune.IsValid(value) || !UnicodeNormalizer.Known.Contains(value)
                || value is >= SyllableBase and < SyllableBase + LeadCount * VowelCount * TrailCount)
            {
                continue;
            }

            string whole = new Rune(value).ToString();
            string parts = whole.Normalize(NormalizationForm.FormD);
            if (parts == whole || parts.Normalize(NormalizationForm.FormC) != whole)
                continue;
            Rune.DecodeLastFromUtf16(parts, out Rune last, out int units);
            string first = parts[..^units].Normalize(NormalizationForm.FormC);
            if (first.EnumerateRunes().Count() == 1)
                pairs[(Rune.GetRuneAt(first, 0).Value, last.Value)] = value;
        }

        return pairs;
    }
}
