using System.Text;

namespace MLTransfer.Torch.Tokenization.Unicode;

/// <summary>Letters with case, by Unicode's tables: what .NET makes of them depends on its globalization mode.</summary>
internal static class CaseFolding
{
    // Capital letters of Unicode 16 and 17, which the tables of 14 lack: the first, the last, and the lower case of the first.
    private static readonly (int First, int Last, int Lower)[] s_later =
    [
        (0x1C89, 0x1C89, 0x1C8A), (0xA7CB, 0xA7CB, 0x264), (0xA7CC, 0xA7CC, 0xA7CD), (0xA7CE, 0xA7CE, 0xA7CF), (0xA7D2, 0xA7D2, 0xA7D3),
        (0xA7D4, 0xA7D4, 0xA7D5), (0xA7DA, 0xA7DA, 0xA7DB), (0xA7DC, 0xA7DC, 0x19B), (0x10D50, 0x10D65, 0x10D70),
        (0x16EA0, 0x16EB8, 0x16EBB),
    ];

    private static readonly Lazy<Dictionary<int, int>> s_lower = new(() => UnicodeProperties.Equations("Case", "Lower")
        .Select(equation => (Upper: equation.Character, Lower: equation.Parts[0]))
        .Concat(s_later.SelectMany(letters => Enumerable.Range(letters.First, letters.Last - letters.First + 1)
            .Select(upper => (Upper: upper, Lower: letters.Lower + upper - letters.First))))
        .ToDictionary(letter => letter.Upper, letter => letter.Lower));

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
