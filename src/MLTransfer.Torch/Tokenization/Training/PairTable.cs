using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>
/// The pairs of neighbouring symbols in all words, with how often and where each occurs. Symbols of a word are a linked list in arrays over
/// all words, so that joining a pair takes time in proportion to its occurrences.
/// </summary>
internal sealed class PairTable
{
    private const int None = -1;

    private readonly List<int> _symbols = []; // by position; -1 for one that is joined to one before it
    private readonly List<int> _wordOf = [];
    private readonly List<long> _counts = []; // of words
    private int[] _next = [];
    private int[] _previous = [];
    private readonly Dictionary<ulong, int> _indexOf = [];
    private readonly List<ulong> _pairs = [];
    private readonly List<long> _pairCounts = [];
    private readonly List<List<int>?> _places = []; // of pairs: positions of the left symbol
    private readonly List<int> _gained = [];        // pairs with new places since they were last asked for
    private readonly HashSet<int> _isGained = [];

    /// <summary>Adds a word.</summary>
    /// <param name="symbols">Its symbols.</param>
    /// <param name="count">How often it occurs.</param>
    public void AddWord(ReadOnlySpan<int> symbols, long count)
    {
        foreach (int symbol in symbols)
        {
            _symbols.Add(symbol);
            _wordOf.Add(_counts.Count);
        }

        _counts.Add(count);
    }

    /// <summary>Counts the pairs, once all words are there.</summary>
    public void CountPairs()
    {
        int size = _symbols.Count;
        (_next, _previous) = (new int[size], new int[size]);
        for (int position = 0; position < size; position++)
        {
            bool hasNext = position + 1 < size && _wordOf[position] == _wordOf[position + 1];
            _next[position] = hasNext ? position + 1 : None;
            _previous[position] = position > 0 && _wordOf[position - 1] == _wordOf[position] ? position - 1 : None;
            if (hasNext)
                Gain(position, position + 1);
        }
    }

    /// <summary>The pairs that have new places, each with its number and count.</summary>
    public IEnumerable<(int Pair, long Count)> TakeGained()
    {
        foreach (int pair in _gained)
            yield return (pair, _pairCounts[pair]);
        _gained.Clear();
        _isGained.Clear();
    }

    public long CountOf(int pair) => _pairCounts[pair];

    public ulong KeyOf(int pair) => _pairs[pair];

    public (int Left, int Right) SymbolsOf(int pair) => ((int)(_pairs[pair] >> 32), (int)(uint)_pairs[pair]);

    /// <summary>Whether a pair stands somewhere where it was not joined yet.</summary>
    public bool HasPlaces(int pair) => _places[pair] is not null;

    /// <summary>Joins a pair wherever it stands, from the left to the right.</summary>
    /// <param name="pair">The pair's number.</param>
    /// <param name="joined">The symbol that it becomes.</param>
    /// <param name="mayJoin">Whether two symbols may become one later.</param>
    public void Join(int pair, int joined, Func<int, int, bool> mayJoin)
    {
        (int left, int right) = SymbolsOf(pair);
        List<int> places = _places[pair]!;
        _places[pair] = null;
        places.Sort();
        foreach (int position in places)
        {
            int second = _symbols[position] == left ? _next[position] : None;
            if (second == None || _symbols[second] != right)
                continue;

            int before = _previous[position];
            int after = _next[second];
            if (before != None)
                Lose(before, position);
            if (after != None)
                Lose(second, after);
            _symbols[position] = joined;
            _symbols[second] = None;
            _next[position] = after;
            if (after != None)
                _previous[after] = position;
            if (before != None && mayJoin(_symbols[before], joined))
                Gain(before, position);
            if (after != None && mayJoin(joined, _symbols[after]))
                Gain(position, after);
        }
    }

    private void Gain(int position, int second)
    {
        ulong key = Key(_symbols[position], _symbols[second]);
        ref int known = ref CollectionsMarshal.GetValueRefOrAddDefault(_indexOf, key, out bool exists);
        if (!exists)
        {
            known = _pairs.Count;
            _pairs.Add(key);
            _pairCounts.Add(0);
            _places.Add(null);
        }

        int pair = known;
        _pairCounts[pair] += _counts[_wordOf[position]];
        (_places[pair] ??= []).Add(position);
        if (_isGained.Add(pair))
            _gained.Add(pair);
    }

    private void Lose(int position, int second)
    {
        if (_indexOf.TryGetValue(Key(_symbols[position], _symbols[second]), out int pair))
            _pairCounts[pair] -= _counts[_wordOf[position]];
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;
}
