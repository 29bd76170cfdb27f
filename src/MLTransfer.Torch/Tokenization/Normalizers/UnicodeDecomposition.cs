using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Takes characters apart and sorts their marks, and tells which old character each part belongs to.</summary>
internal static class UnicodeDecomposition
{
    private static readonly string?[] s_canonical = new string?[0x10000];
    private static readonly string?[] s_compatible = new string?[0x10000];

    /// <summary>The parts of a text's characters in canonical order: the first part of each replaces it, the others are inserted.</summary>
    public static List<RuneChange> Decompose(ReadOnlySpan<char> text, bool isCompatible)
    {
        var changes = new List<RuneChange>(text.Length + text.Length / 4);
        int unsorted = 0; // where the marks after the last character of class 0 begin
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isFirst = true;
            foreach (Rune part in PartsOf(rune, isCompatible).EnumerateRunes())
            {
                int change = isFirst ? 0 : 1;
                isFirst = false;
                if (UnicodeProperties.CombiningClass(part.Value) == 0)
                {
                    Sort(changes, unsorted);
                    changes.Add(new RuneChange(part, change));
                    unsorted = changes.Count;
                }
                else
                {
                    changes.Add(new RuneChange(part, change));
                }
            }
        }

        Sort(changes, unsorted);
        return changes;
    }

    private static string PartsOf(Rune rune, bool isCompatible)
    {
        if (rune.IsBmp)
        {
            ref string? known = ref (isCompatible ? s_compatible : s_canonical)[rune.Value];
            return known ??= Normalize(rune, isCompatible);
        }

        return Normalize(rune, isCompatible);
    }

    private static string Normalize(Rune rune, bool isCompatible) => !UnicodeNormalizer.Known.Contains(rune)
        ? rune.ToString()
        : rune.ToString().Normalize(isCompatible ? NormalizationForm.FormKD : NormalizationForm.FormD);

    /// <summary>Sorts marks by their class; those of one class keep their order.</summary>
    private static void Sort(List<RuneChange> changes, int from)
    {
        if (changes.Count - from < 2)
            return;
        RuneChange[] sorted =
            [.. changes.Skip(from).OrderBy(change => UnicodeProperties.CombiningClass(change.Rune.Value))]; // OrderBy is stable
        changes.RemoveRange(from, changes.Count - from);
        changes.AddRange(sorted);
    }
}
