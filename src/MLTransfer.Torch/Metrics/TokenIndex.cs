namespace MLTransfer.Torch.Metrics;

/// <summary>
/// Finds where runs of tokens stand in texts: a suffix array (Manber and Myers 1993), which takes four bytes a token beside the tokens.
/// </summary>
internal sealed class TokenIndex
{
    private const int Border = -1; // no token: a run never goes over the end of a text

    private readonly int[] _tokens;
    private readonly int[] _suffixes; // positions of _tokens, sorted by what follows them
    private readonly int[] _starts; // of texts
    private readonly int _depth;

    /// <param name="texts">The texts to find runs in.</param>
    /// <param name="longest">The longest run that is ever asked for.</param>
    public TokenIndex(IReadOnlyList<IReadOnlyList<int>> texts, int longest)
    {
        _depth = longest;
        _tokens = new int[checked((int)texts.Sum(text => text.Count + 1L))];
        _starts = new int[texts.Count];
        _suffixes = new int[_tokens.Length - texts.Count];
        var (end, count) = (0, 0);
        foreach (var (number, text) in texts.Index())
        {
            _starts[number] = end;
            foreach (var token in text)
            {
                _suffixes[count++] = end;
                _tokens[end++] = token;
            }

            _tokens[end++] = Border;
        }

        Array.Sort(_suffixes, (a, b) => Compare(From(a), From(b)));
    }

    /// <summary>The longest run that a sequence begins with and a text holds.</summary>
    /// <returns>Its length, 0 for none, with the number of the text and where it begins there.</returns>
    public (int Length, int Text, int Position) Find(ReadOnlySpan<int> sequence)
    {
        sequence = sequence[..Math.Min(sequence.Length, _depth)];
        var (low, high) = (0, _suffixes.Length); // the first suffix that is not before the sequence
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Compare(From(_suffixes[middle]), sequence) < 0)
                low = middle + 1;
            else
                high = middle;
        }

        // The suffix with the longest common beginning is one of the two beside the sequence's place.
        var (length, position) = (0, 0);
        foreach (var index in (ReadOnlySpan<int>)[low - 1, low])
        {
            if ((uint)index >= (uint)_suffixes.Length)
                continue;
            var common = From(_suffixes[index]).CommonPrefixLength(sequence);
            if (common > length)
                (length, position) = (common, _suffixes[index]);
        }

        if (length == 0)
            return (0, 0, 0);
        var text = Array.BinarySearch(_starts, position);
        text = text >= 0 ? text : ~text - 1;
        return (length, text, position - _starts[text]);
    }

    private ReadOnlySpan<int> From(int position) => _tokens.AsSpan(position, Math.Min(_depth, _tokens.Length - position));

    private static int Compare(ReadOnlySpan<int> first, ReadOnlySpan<int> second)
    {
        var common = first.CommonPrefixLength(second);
        return common == first.Length || common == second.Length
            ? first.Length.CompareTo(second.Length)
            : first[common].CompareTo(second[common]);
    }
}
