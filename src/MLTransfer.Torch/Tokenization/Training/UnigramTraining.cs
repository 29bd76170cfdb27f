using System.Text;
using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>
/// Trains a unigram language model (Kudo, arXiv 1804.10959): from many pieces, expectation maximization gives each its probability, and
/// those without which the texts lose least are dropped, a quarter at a time, until few enough are left.
/// </summary>
internal sealed class UnigramTraining
{
    public const int LongestPiece = 16;

    private const int Rounds = 2;               // of expectation maximization before each pruning
    private const double Kept = 0.75;           // of the pieces, by each pruning
    private const double Reserve = 1.1;         // of the wanted pieces are left for the last choice, which is by probability
    private const double LeastExpected = 0.5;   // occurrences; a rarer piece is dropped at once
    private const double RequiredStep = 0.0001; // between the scores of characters that must be there and no text is made of
    private const int CheckEvery = 1 << 12;     // words

    private readonly IReadOnlyList<(string Word, long Count)> _words;
    private readonly TokenizerTrainingOptions _options;
    private readonly TrainingWatch _watch;
    private List<string> _pieces;
    private List<double> _scores;

    private UnigramTraining(
        IReadOnlyList<(string Word, long Count)> words, List<(string Piece, double Weight)> seeds, TokenizerTrainingOptions options,
        TrainingWatch watch)
    {
        (_words, _options, _watch) = (words, options, watch);
        double sum = seeds.Sum(seed => seed.Weight);
        _pieces = [.. seeds.Select(seed => seed.Piece)];
        _scores = [.. seeds.Select(seed => Math.Log(seed.Weight) - Math.Log(sum))];
    }

    /// <returns>The tokens by id with their scores; special ones have 0.</returns>
    /// <exception cref="ArgumentException">The vocabulary has no room for the characters.</exception>
    public static IReadOnlyList<(string Token, double Score)> Run(
        IReadOnlyList<(string Word, long Count)> words, TokenizerTrainingOptions options, TrainingWatch watch)
    {
        IReadOnlyList<string> special = options.Specials.All;
        SortedDictionary<Rune, long> alphabet = Alphabet.Of(words, options.MaximumAlphabetSize);
        string[] required = [.. alphabet.Keys.Select(rune => rune.ToString()).Except(special)];
        int room = options.VocabularySize - special.Count;
        if (required.Length > room)
        {
            throw new ArgumentException(
                $"{nameof(options.VocabularySize)} is {options.VocabularySize}, but the special tokens and the characters of the texts are "
                + $"{special.Count + required.Length} tokens. Raise it, or set {nameof(options.MaximumAlphabetSize)}: rarer characters "
                + "become unknown.", nameof(options));
        }

        List<(string Piece, double Weight)> seeds = UnigramSeeds.Of(
            words, alphabet, options.MaximumTokenLength ?? LongestPiece, options.MinimumFrequency);
        seeds.RemoveAll(seed => special.Contains(seed.Piece));
        IEnumerable<(string, double)> chosen =
            seeds.Count == 0 ? [] : new UnigramTraining(words, seeds, options, watch).Train(room, required);
        return [.. special.Select(token => (token, 0.0)), .. chosen];
    }

    private IEnumerable<(string Token, double Score)> Train(int room, IReadOnlyList<string> required)
    {
        int wanted = (int)(room * Reserve);
        while (true)
        {
            for (int round = 0; round < Rounds; round++)
                Maximize(Expect());
            _watch.Report(TokenizerTrainingStage.Pruning, _pieces.Count, room);
            int before = _pieces.Count;
            if (before <= wanted)
                break;
            Prune(Math.Max(wanted, (int)(before * Kept)));
            if (_pieces.Count == before)
                break; // none can be spared
        }

        return Choose(room, required);
    }

    /// <summary>How often each piece is expected in the texts.</summary>
    private double[] Expect()
    {
        var lattice = new UnigramLattice(_pieces, _scores);
        double[] expected = new double[_pieces.Count];
        for (int word = 0; word < _words.Count; word++)
        {
            if (word % CheckEvery == 0)
                _watch.Check();
            lattice.AddExpected(_words[word].Word, _words[word].Count, expected);
        }

        return expected;
    }

    /// <summary>
    /// The scores of pieces from their expected counts under a sparse prior (Liang and Klein, tutorial at ACL 2007), as SentencePiece.
    /// </summary>
    private void Maximize(double[] expected)
    {
        int[] kept = [.. Enumerable.Range(0, expected.Length).Where(piece => expected[piece] >= LeastExpected)];
        if (kept.Length == 0)
            return;
        double all = Digamma(kept.Sum(piece => expected[piece]));
        _pieces = [.. kept.Select(piece => _pieces[piece])];
        _scores = [.. kept.Select(piece => Digamma(expected[piece]) - all)];
    }

    /// <summary>Drops the pieces without which the texts lose least.</summary>
    /// <param name="left">How many are to be left.</param>
    private void Prune(int left)
    {
        var lattice = new UnigramLattice(_pieces, _scores);
        double[] counts = new double[_pieces.Count];
        var path = new List<int>();
        for (int word = 0; word < _words.Count; word++)
        {
            if (word % CheckEvery == 0)
                _watch.Check();
            lattice.FindBest(_words[word].Word, null, path);
            foreach (int piece in path)
            {
                if (piece != UnigramLattice.Unknown)
                    counts[piece] += _words[word].Count;
            }
        }

        double all = counts.Sum();
        var kept = new List<int>();
        var candidates = new List<(int Piece, double Loss)>();
        for (int piece = 0; piece < _pieces.Count; piece++)
        {
            // What the piece becomes without itself; a character becomes unknown, and stays.
            double otherwise = lattice.FindBest(_pieces[piece], piece, path);
            if (path.Contains(UnigramLattice.Unknown))
                kept.Add(piece);
            else if (counts[piece] > 0 && _scores[piece] >= otherwise)
                candidates.Add((piece, Loss(counts, all, piece, path)));
        }

        candidates.Sort((first, second) => first.Loss != second.Loss ? second.Loss.CompareTo(first.Loss)
            : CodePointOrder.Compare(_pieces[first.Piece], _pieces[second.Piece]));
        kept.AddRange(candidates.Take(Math.Max(0, left - kept.Count)).Select(candidate => candidate.Piece));
        kept.Sort();
        (_pieces, _scores) = ([.. kept.Select(piece => _pieces[piece])], [.. kept.Select(piece => _scores[piece])]);
    }

    /// <summary>What the texts' logarithmic probability loses for a piece, if its occurrences are written in others.</summary>
    private static double Loss(double[] counts, double all, int piece, List<int> others)
    {
        double count = counts[piece];
        double logAll = Math.Log(all + count * (others.Count - 1));
        return count * (Math.Log(count) - Math.Log(all) - others.Sum(other => Math.Log(counts[other] + count) - logAll));
    }

    /// <summary>The characters that must be there and the most probable other pieces, the most probable first.</summary>
    private IEnumerable<(string Token, double Score)> Choose(int room, IReadOnlyList<string> required)
    {
        Dictionary<string, double> scores = _pieces.Zip(_scores).ToDictionary(entry => entry.First, entry => entry.Second);
        double lowest = _scores.Min();
        var chosen = new List<(string Token, double Score)>();
        int missing = 0;
        foreach (string character in required)
        {
            chosen.Add((character, scores.Remove(character, out double score) ? score : lowest + missing++ * RequiredStep));
        }

        chosen.AddRange(Sorted(scores.Select(entry => (entry.Key, entry.Value))).Take(room - chosen.Count));
        return Sorted(chosen);
    }

    private static IOrderedEnumerable<(string Token, double Score)> Sorted(IEnumerable<(string Token, double Score)> pieces) =>
        pieces.OrderByDescending(piece => piece.Score).ThenBy(piece => piece.Token, CodePointOrder.Instance);

    /// <summary>The derivative of the logarithm of the gamma function, by its recurrence and its asymptotic series.</summary>
    private static double Digamma(double x)
    {
        double result = 0;
        for (; x < 7; x++)
            result -= 1 / x;
        double inverse = 1 / (x * x);
        return result + Math.Log(x) - 0.5 / x
            - inverse * (1.0 / 12 - inverse * (1.0 / 120 - inverse * (1.0 / 252 - inverse * (1.0 / 240 - inverse / 132))));
    }
}
