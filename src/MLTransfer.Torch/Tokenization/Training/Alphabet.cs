using System.Text;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>The characters that words are made of.</summary>
internal static class Alphabet
{
    /// <summary>Counts characters and keeps the most frequent ones; of equals the first.</summary>
    /// <param name="words">The words with their counts.</param>
    /// <param name="limit">The most characters to keep; null for all.</param>
    /// <returns>The characters with their counts, in the order of code points.</returns>
    public static SortedDictionary<Rune, long> Of(IReadOnlyList<(string Word, long Count)> words, int? limit)
    {
        var counts = new Dictionary<Rune, long>();
        foreach ((string word, long count) in words)
        {
            foreach (Rune rune in word.EnumerateRunes())
                CollectionsMarshal.GetValueRefOrAddDefault(counts, rune, out _) += count;
        }

        IEnumerable<KeyValuePair<Rune, long>> kept = counts;
        if (limit is int most)
            kept = counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).Take(most);
        return new SortedDictionary<Rune, long>(kept.ToDictionary());
    }
}
