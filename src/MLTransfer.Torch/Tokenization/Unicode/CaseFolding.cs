using System.Text;

namespace MLTransfer.Torch.Tokenization.Unicode;

/// <summary>Letters with case, by Unicode's tables: what .NET makes of them depends on its globalization mode.</summary>
internal static class CaseFolding
{
    private static readonly Lazy<Dictionary<int, int>> s_lower = new(() => UnicodeProperties.Equations("Case", "Lower")
        .ToDictionary(equation => equation.Character, equation => equation.Parts[0]));

    private static readonly Lazy<Dictionary<int, int[]>> s_equivalents = new(CollectEquivalents);

    /// <summary>The lower case of a character, where it is one character.</summary>
    public static Rune ToLower(Rune rune)
    {
        if (rune.IsAscii)
            return Rune.ToLowerInvariant(rune);
        return s_lower.Value.TryGetValue(rune.Value, out int lower) ? new Rune(lower) : rune;
    }

    /// <summary>The set with every code point that differs from one of it by case only, by simple case folding.</summary>
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

    private static Dictionary<int, int[]> CollectEquivalents() => UnicodeProperties.Equations("Case", "Fold")
        .GroupBy(equation => equation.Parts[0], equation => equation.Character)
        .Select(group => (int[])[group.Key, .. group])
        .SelectMany(group => group.Select(value => (Value: value, Others: group.Where(other => other != value).ToArray())))
        .ToDictionary(entry => entry.Value, entry => entry.Others);
}
