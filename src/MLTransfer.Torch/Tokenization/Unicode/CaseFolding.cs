using System.Text;

namespace MLTransfer.Torch.Tokenization.Unicode;

/// <summary>Code points that are equal but for their case, by simple case folding.</summary>
internal static class CaseFolding
{
    private static readonly Lazy<Dictionary<int, int[]>> s_equivalents = new(Collect);

    /// <summary>The set with every code point that differs from one of it by case only.</summary>
    public static CodePointSet Close(CodePointSet set)
    {
        var added = new List<(int, int)>();
        foreach ((int codePoint, int[] equivalents) in s_equivalents.Value)
        {
            if (set.Contains(codePoint))
                added.AddRange(equivalents.Select(value => (value, value)));
        }

        return added.Count == 0 ? set : set.Union(CodePointSet.Of(added));
    }

    private static Dictionary<int, int[]> Collect()
    {
        // All letters with case lie in the first two planes.
        var groups = new Dictionary<int, List<int>>();
        for (int value = 0; value < 0x20000; value++)
        {
            if (!Rune.IsValid(value))
                continue;
            var rune = new Rune(value);
            int folded = Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune)).Value;
            if (folded == value && Rune.ToLowerInvariant(rune) == rune && Rune.ToUpperInvariant(rune) == rune)
                continue;
            if (!groups.TryGetValue(folded, out List<int>? group))
                groups.Add(folded, group = []);
            group.Add(value);
        }

        return groups.Values.Where(group => group.Count > 1)
            .SelectMany(group => group.Select(value => (value, group.Where(other => other != value).ToArray())))
            .ToDictionary(entry => entry.value, entry => entry.Item2);
    }
}
