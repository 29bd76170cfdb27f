using System.Text;
using MLTransfer.Torch.Tokenization.Training;

namespace MLTransfer.Torch.Tests.Tokenization.Training;

/// <summary>Training as papers tell it, slow and short.</summary>
internal static class NaiveTraining
{
    /// <summary>Byte pairs: counts all pairs anew before each merge.</summary>
    public static (List<string> Tokens, List<(string Left, string Right)> Merges) BytePairs(
        IEnumerable<(string[] Symbols, long Count)> words, IEnumerable<string> alphabet, string prefix, int size, int least, int longest)
    {
        var tokens = alphabet.ToList();
        var merges = new List<(string Left, string Right)>();
        List<(List<string> Symbols, long Count)> texts = [.. words.Select(word => (word.Symbols.ToList(), word.Count))];
        while (tokens.Count < size)
        {
            var counts = new Dictionary<(int, int), long>();
            foreach ((List<string> symbols, long count) in texts)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    (int, int) pair = (tokens.IndexOf(symbols[i]), tokens.IndexOf(symbols[i + 1]));
                    if (LengthOf(Joined(symbols[i], symbols[i + 1])) <= longest)
                        counts[pair] = counts.GetValueOrDefault(pair) + count;
                }
            }

            if (counts.Count == 0)
                break;
            ((int left, int right), long most) = counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).First();
            if (most < least)
                break;
            (string Left, string Right) merge = (tokens[left], tokens[right]);
            if (!merges.Contains(merge))
                merges.Add(merge);
            string joined = Joined(merge.Left, merge.Right);
            if (!tokens.Contains(joined))
                tokens.Add(joined);
            foreach ((List<string> symbols, _) in texts)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    if (symbols[i] == merge.Left && symbols[i + 1] == merge.Right)
                    {
                        symbols[i] = joined;
                        symbols.RemoveAt(i + 1);
                    }
                }
            }
        }

        return (tokens, merges);

        string Joined(string left, string right) =>
            left + (prefix.Length > 0 && right.StartsWith(prefix, StringComparison.Ordinal) ? right[prefix.Length..] : right);

        int LengthOf(string token) =>
            (prefix.Length > 0 && token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : token).Length;
    }

    /// <summary>All ways to make a word of pieces; a character that is no piece may stand for itself.</summary>
    public static IEnumerable<List<int>> Segmentations(string word, IReadOnlyList<string> pieces)
    {
        if (word.Length == 0)
        {
            yield return [];
            yield break;
        }

        for (int length = 1; length <= word.Length; length++)
        {
            int piece = pieces.ToList().IndexOf(word[..length]);
            if (piece < 0 && (length > 1))
                continue;
            foreach (List<int> rest in Segmentations(word[length..], pieces))
                yield return [piece < 0 ? UnigramLattice.Unknown : piece, .. rest];
        }
    }

    /// <summary>Parts of several characters that occur again, and that go on in different ways or end a word; words that occur
    /// again.</summary>
    public static Dictionary<string, long> RepeatedParts(IReadOnlyList<(string Word, long Count)> words, int longest)
    {
        var places = new Dictionary<string, List<(char? Next, long Count)>>();
        foreach ((string word, long count) in words)
        {
            for (int start = 0; start < word.Length; start++)
            {
                for (int end = start + 2; end <= Math.Min(word.Length, start + longest); end++)
                {
                    if (!places.TryGetValue(word[start..end], out List<(char? Next, long Count)>? found))
                        places.Add(word[start..end], found = []);
                    found.Add((end < word.Length ? word[end] : null, count));
                }
            }
        }

        return places.Where(entry => words.Any(word => word.Word == entry.Key && word.Count > 1) || entry.Value.Count > 1
                && (entry.Value.Exists(place => place.Next is null) || entry.Value.Select(place => place.Next).Distinct().Count() > 1))
            .ToDictionary(entry => entry.Key, entry => entry.Value.Sum(place => place.Count));
    }

    public static string AsBytes(string word) =>
        string.Concat(Encoding.UTF8.GetBytes(word).Select(value => MLTransfer.Torch.Tokenization.ByteLevelAlphabet.CharacterOf(value)));
}
