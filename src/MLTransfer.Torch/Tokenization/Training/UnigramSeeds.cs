using System.Text;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>
/// The pieces that a unigram model starts from: all characters, and of the words and parts of words that occur again those with the highest
/// product of count and length. Of parts that always go on in the same way only the longest counts, as in SentencePiece.
/// </summary>
internal static class UnigramSeeds
{
    private const int MaximumCount = 1_000_000; // of the reference
    private const int MaximumLength = 1 << 10;  // what places are compared by

    /// <param name="words">The words with their counts.</param>
    /// <param name="alphabet">The characters that may be pieces, with their counts.</param>
    /// <param name="longest">The most characters of a piece.</param>
    /// <param name="leastCount">How often a piece of several characters must occur.</param>
    /// <returns>The pieces with what they weigh, above 0.</returns>
    public static List<(string Piece, double Weight)> Of(
        IReadOnlyList<(string Word, long Count)> words, SortedDictionary<Rune, long> alphabet, int longest, int leastCount)
    {
        var seeds = new List<(string Piece, double Weight)>(alphabet.Select(entry => (entry.Key.ToString(), (double)entry.Value)));
        var parts = new List<(string Piece, double Weight)>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string part, long count) in RepeatedParts(words, longest).Concat(words.Where(word => word.Count > 1)))
        {
            if (!known.Add(part))
                continue; // a word that others begin with
            int length = 0;
            bool isKnown = true;
            foreach (Rune rune in part.EnumerateRunes())
            {
                length++;
                isKnown &= alphabet.ContainsKey(rune);
            }

            if (isKnown && length > 1 && length <= longest && count >= leastCount)
                parts.Add((part, (double)count * length));
        }

        parts.Sort((left, right) =>
            left.Weight != right.Weight ? right.Weight.CompareTo(left.Weight) : CodePointOrder.Compare(left.Piece, right.Piece));
        seeds.AddRange(parts.Take(MaximumCount - seeds.Count));
        return seeds;
    }

    /// <summary>
    /// The inner nodes of a suffix tree over the words: texts that at least two places begin with and that go on differently there.
    /// </summary>
    private static IEnumerable<(string Part, long Count)> RepeatedParts(IReadOnlyList<(string Word, long Count)> words, int longest)
    {
        // A place is a word and a unit in it. No more than the units of a piece, and one character to tell that it goes on, are compared.
        int units = 2 * Math.Min(longest, MaximumLength) + 2;
        var places = new List<(int Word, int Start)>();
        for (int word = 0; word < words.Count; word++)
        {
            for (int start = 0; start < words[word].Word.Length; start++)
            {
                if (!char.IsLowSurrogate(words[word].Word[start]))
                    places.Add((word, start));
            }
        }

        ReadOnlySpan<char> TextAt((int Word, int Start) place)
        {
            ReadOnlySpan<char> rest = words[place.Word].Word.AsSpan(place.Start);
            return rest.Length > units ? rest[..units] : rest;
        }

        // Places with equal texts stay in their order, so that nothing depends on how the sort swaps.
        places.Sort((left, right) => TextAt(left).SequenceCompareTo(TextAt(right)) is not 0 and var order ? order : left.CompareTo(right));

        // Intervals of places that share their first units, from the outer to the inner ones (Abouelhoda et al. 2004).
        var open = new Stack<(int Length, long Count)>();
        for (int i = 0; i <= places.Count; i++)
        {
            int shared = i == 0 || i == places.Count ? 0 : Shared(TextAt(places[i - 1]), TextAt(places[i]));
            long count = i == 0 ? 0 : words[places[i - 1].Word].Count;
            while (open.TryPeek(out (int Length, long Count) top) && top.Length > shared)
            {
                open.Pop();
                count += top.Count;
                if (top.Length < units) // else it may go on
                    yield return (TextAt(places[i - 1])[..top.Length].ToString(), count);
            }

            if (open.TryPeek(out (int Length, long Count) same) && same.Length == shared)
            {
                open.Pop();
                open.Push((shared, same.Count + count));
            }
            else if (shared > 0)
            {
                open.Push((shared, count));
            }
        }
    }

    /// <summary>The units of the characters that both texts begin with.</summary>
    private static int Shared(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        int shared = left.CommonPrefixLength(right);
        return shared > 0 && char.IsHighSurrogate(left[shared - 1]) ? shared - 1 : shared;
    }
}
