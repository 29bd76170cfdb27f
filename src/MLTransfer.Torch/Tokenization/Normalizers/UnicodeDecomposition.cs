using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Takes characters apart and sorts their marks, and tells which old character each part belongs to.</summary>
internal static class UnicodeDecomposition
{
    private static readonly Lazy<Dictionary<int, Rune[]>> s_canonical = new(() => Collect("Canonical"));
    private static readonly Lazy<Dictionary<int, Rune[]>> s_compatible = new(() => Collect("Canonical", "Compatible"));

    /// <summary>The parts of a text's characters in canonical order: the first part of each replaces it, the others are inserted.</summary>
    public static List<RuneChange> Decompose(ReadOnlySpan<char> text, bool isCompatible)
    {
        var changes = new List<RuneChange>(text.Length + text.Length / 4);
        int unsorted = 0; // where the marks after the last character of class 0 begin
        Dictionary<int, Rune[]> table = (isCompatible ? s_compatible : s_canonical).Value;
        Span<Rune> itself = stackalloc Rune[1];
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isFirst = true;
            itself[0] = rune;
            ReadOnlySpan<Rune> parts = rune.Value < UnicodeNormalizer.FirstWithParts ? itself
                : table.TryGetValue(rune.Value, out Rune[]? known) ? known
                : HangulSyllables.Decompose(rune.Value) is int[] letters ? Array.ConvertAll(letters, letter => new Rune(letter))
                : itself;
            foreach (Rune part in parts)
            {
                int change = isFirst ? 0 : 1;
                isFirst = false;
                if (UnicodeNormalizer.CombiningClass(part.Value) == 0)
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

    private static Dictionary<int, Rune[]> Collect(params string[] kinds)
    {
        var table = new Dictionary<int, Rune[]>();
        foreach ((int character, int[] parts) in kinds.SelectMany(kind => UnicodeProperties.Equations("Decomposition", kind)))
        {
            if (UnicodeNormalizer.Known.Contains(character))
                table[character] = Array.ConvertAll(parts, part => new Rune(part));
        }

        return table;
    }

    /// <summary>Sorts marks by their class; those of one class keep their order.</summary>
    private static void Sort(List<RuneChange> changes, int from)
    {
        if (changes.Count - from < 2)
            return;
        RuneChange[] sorted =
            [.. changes.Skip(from).OrderBy(change => UnicodeNormalizer.CombiningClass(change.Rune.Value))]; // OrderBy is stable
        changes.RemoveRange(from, changes.Count - from);
        changes.AddRange(sorted);
    }
}
