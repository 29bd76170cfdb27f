using System.Runtime.InteropServices;
using System.Text;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>
/// Finds the tokens and merges of byte-pair encoding (Sennrich et al., arXiv 1508.07909): the most frequent pair of neighbouring symbols
/// becomes a token, again and again. Of equally frequent pairs the one of smaller ids is first, as in Hugging Face's tokenizers.
/// </summary>
internal sealed class BytePairTraining
{
    private const int ReportEvery = 256;

    private readonly TokenizerTrainingOptions _options;
    private readonly string _prefix;
    private readonly TrainingWatch _watch;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<string> _tokens = [];
    private readonly List<int> _lengths = []; // of tokens, in characters without prefix
    private readonly List<(string Left, string Right)> _merges = [];

    private BytePairTraining(TokenizerTrainingOptions options, string prefix, TrainingWatch watch)
    {
        (_options, _prefix, _watch) = (options, prefix, watch);
        foreach (string token in options.Specials.All)
            Add(token, 0);
    }

    /// <summary>Tokens by id, and pairs of tokens in the order in which they are joined.</summary>
    public readonly record struct Result(IReadOnlyList<string> Tokens, IReadOnlyList<(string Left, string Right)> Merges);

    /// <summary>Trains on words that the bytes of <see cref="ByteLevelAlphabet"/> write.</summary>
    public static Result OnBytes(
        IReadOnlyList<(string Word, long Count)> words, TokenizerTrainingOptions options, TrainingWatch watch)
    {
        var training = new BytePairTraining(options, "", watch);
        char[] alphabet = [.. Enumerable.Range(0, 256).Select(value => ByteLevelAlphabet.CharacterOf((byte)value))];
        foreach (char character in alphabet.Order())
            training.Add(character.ToString(), 1);
        int[] idOf = [.. alphabet.Select(character => training._ids[character.ToString()])];
        var pairs = new PairTable();
        foreach ((string word, long count) in words)
            pairs.AddWord([.. Encoding.UTF8.GetBytes(word).Select(value => idOf[value])], count);
        return training.Run(pairs);
    }

    /// <summary>Trains on the characters of words, of which those within a word begin with a prefix.</summary>
    /// <exception cref="ArgumentException">The vocabulary has no room for the characters.</exception>
    public static Result OnCharacters(
        IReadOnlyList<(string Word, long Count)> words, string prefix, TokenizerTrainingOptions options, TrainingWatch watch)
    {
        var training = new BytePairTraining(options, prefix, watch);
        SortedDictionary<Rune, long> alphabet = Alphabet.Of(words, options.MaximumAlphabetSize);
        foreach (Rune rune in alphabet.Keys)
            training.Add(rune.ToString(), 1);
        HashSet<Rune> continuing = prefix.Length == 0 ? []
            : [.. words.SelectMany(entry => entry.Word.EnumerateRunes().Skip(1)).Where(alphabet.ContainsKey)];
        foreach (Rune rune in continuing.Order())
            training.Add(prefix + rune, 1);
        if (training._tokens.Count > options.VocabularySize)
        {
            throw new ArgumentException(
                $"{nameof(options.VocabularySize)} is {options.VocabularySize}, but the special tokens and the characters of the texts are "
                + $"{training._tokens.Count} tokens. Raise it, or set {nameof(options.MaximumAlphabetSize)}: rarer characters become "
                + "unknown.", nameof(options));
        }

        var pairs = new PairTable();
        var symbols = new List<int>();
        foreach ((string word, long count) in words)
        {
            bool isFirst = true;
            foreach (Rune rune in word.EnumerateRunes())
            {
                if (alphabet.ContainsKey(rune))
                    symbols.Add(training._ids[isFirst ? rune.ToString() : prefix + rune]);
                else
                    AddPart(count); // nothing is joined across a character that is unknown
                isFirst = false;
            }

            AddPart(count);
        }

        return training.Run(pairs);

        void AddPart(long count)
        {
            pairs.AddWord(CollectionsMarshal.AsSpan(symbols), count);
            symbols.Clear();
        }
    }

    private Result Run(PairTable pairs)
    {
        pairs.CountPairs();
        var queue = new PriorityQueue<int, (long Count, ulong Key)>(
            Comparer<(long Count, ulong Key)>.Create((left, right) =>
                left.Count != right.Count ? right.Count.CompareTo(left.Count) : left.Key.CompareTo(right.Key)));
        var joinedPairs = new HashSet<int>();
        int longest = _options.MaximumTokenLength ?? int.MaxValue;
        bool MayJoin(int left, int right) => _lengths[left] + _lengths[right] <= longest;
        while (true)
        {
            foreach ((int gained, long gainedCount) in pairs.TakeGained())
            {
                if (MayJoin(pairs.SymbolsOf(gained).Left, pairs.SymbolsOf(gained).Right))
                    queue.Enqueue(gained, (gainedCount, pairs.KeyOf(gained)));
            }

            if (_tokens.Count >= _options.VocabularySize || !queue.TryDequeue(out int pair, out (long Count, ulong Key) priority))
                break;
            long count = pairs.CountOf(pair);
            if (!pairs.HasPlaces(pair))
                continue;
            if (count != priority.Count)
            {
                queue.Enqueue(pair, (count, priority.Key));
                continue;
            }

            if (count < _options.MinimumFrequency)
                break;

            int joined = Join(pairs.SymbolsOf(pair), isNew: joinedPairs.Add(pair));
            pairs.Join(pair, joined, MayJoin);
            if (_tokens.Count % ReportEvery == 0)
                _watch.Report(TokenizerTrainingStage.Joining, _tokens.Count, _options.VocabularySize);
        }

        return new Result(_tokens, _merges);
    }

    /// <summary>The token that a pair becomes; two pairs may become the same one.</summary>
    private int Join((int Left, int Right) pair, bool isNew)
    {
        (string left, string right) = (_tokens[pair.Left], _tokens[pair.Right]);

        // A pair that came up again after it was joined is no second merge.
        if (isNew)
            _merges.Add((left, right));
        return Add(
            string.Concat(left, right.StartsWith(_prefix, StringComparison.Ordinal) ? right.AsSpan(_prefix.Length) : right),
            _lengths[pair.Left] + _lengths[pair.Right]);
    }

    private int Add(string token, int length)
    {
        if (_ids.TryGetValue(token, out int known))
        {
            _lengths[known] = length;
            return known;
        }

        _ids.Add(token, _tokens.Count);
        _tokens.Add(token);
        _lengths.Add(length);
        return _tokens.Count - 1;
    }
}
