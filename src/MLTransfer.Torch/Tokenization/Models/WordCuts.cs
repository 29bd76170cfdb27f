namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>
/// Places in a long word that no merge goes across, so that what lies between them can be joined, and remembered, by itself. They are
/// before or after a white-space character, or SentencePiece's sign for one, that no merge joins to another character on that side.
/// </summary>
internal sealed class WordCuts
{
    public static readonly WordCuts None = new();

    private static readonly char[] s_candidates = [' ', '\u2581', '\n', '\r', '\t'];

    private readonly bool[] _before;
    private readonly bool[] _after;

    private WordCuts() => (_before, _after, IsEmpty) = ([], [], true);

    public WordCuts(BytePairOptions options)
    {
        bool[] isToken = [.. s_candidates.Select(candidate => options.Vocabulary.Ids.ContainsKey(candidate.ToString()))];
        (_before, _after) = ([.. isToken], [.. isToken]);
        foreach ((int left, int right, _, _) in options.Merges)
        {
            if (options.Vocabulary.TokenOf(left) is not [.., char last] || options.Vocabulary.TokenOf(right) is not [char first, ..]
                || last == first)
            {
                continue;
            }

            if (Array.IndexOf(s_candidates, first) is >= 0 and var joinedBefore)
                _before[joinedBefore] = false;
            if (Array.IndexOf(s_candidates, last) is >= 0 and var joinedAfter)
                _after[joinedAfter] = false;
        }

        IsEmpty = !_before.Contains(true) && !_after.Contains(true);
    }

    /// <summary>Whether words are never cut.</summary>
    public bool IsEmpty { get; }

    /// <summary>The units of a word up to the first place to cut it, or all.</summary>
    public int FirstLength(ReadOnlySpan<char> word)
    {
        for (int position = 1; position < word.Length; position++)
        {
            position += word[position..].IndexOfAny(s_candidates) is >= 0 and var found ? found : word.Length - position;
            if (position == word.Length)
                break;
            int candidate = Array.IndexOf(s_candidates, word[position]);
            if (_before[candidate] && word[position - 1] != word[position])
                return position;
            if (_after[candidate] && position + 1 < word.Length && word[position + 1] != word[position])
                return position + 1;
        }

        return word.Length;
    }
}
