using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Joins characters with the marks after them (Unicode Standard, section 3.11), and keeps count of what they stand for.</summary>
internal static class UnicodeComposition
{
    private static readonly Lazy<Dictionary<(int, int), int>> s_pairs = new(CollectPairs);

    /// <summary>Composes decomposed text in canonical order.</summary>
    public static List<RuneChange> Compose(List<RuneChange> text)
    {
        var composed = new List<RuneChange>(text.Count);
        int starter = -1;     // the place in the new text of the character that marks may join
        int lastClass = -1;   // the class of the mark before, if it did not join
        foreach (RuneChange next in text)
        {
            int combiningClass = UnicodeNormalizer.CombiningClass(next.Rune.Value);
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
        if (second < 0x300)
            return null;
        return HangulSyllables.Compose(first, second) ?? (s_pairs.Value.TryGetValue((first, second), out int joined) ? joined : null);
    }

    private static Dictionary<(int, int), int> CollectPairs() => UnicodeProperties.Equations("Composition", "Pairs")
        .Where(equation => UnicodeNormalizer.Known.Contains(equation.Character))
        .ToDictionary(equation => (equation.Parts[0], equation.Parts[1]), equation => equation.Character);
}
