using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>All ways to make a word of pieces. One that is not there costs what it costs in <see cref="UnigramModel"/>.</summary>
internal sealed class UnigramLattice
{
    /// <summary>The number that stands for a character without a piece.</summary>
    public const int Unknown = -1;

    private readonly CharacterTrie _trie = new();
    private readonly IReadOnlyList<double> _scores;
    private readonly double _unknownScore;
    private readonly List<(int Start, int End, int Piece, double Score)> _edges = [];
    private double[] _forward = new double[64];
    private double[] _backward = new double[64];
    private int[] _bestEdges = new int[64];

    /// <param name="pieces">The pieces.</param>
    /// <param name="scores">The logarithm of the probability of each.</param>
    public UnigramLattice(IReadOnlyList<string> pieces, IReadOnlyList<double> scores)
    {
        _scores = scores;
        for (int piece = 0; piece < pieces.Count; piece++)
            _trie.Add(pieces[piece], piece);
        _unknownScore = scores.Min() - UnigramModel.UnknownPenalty;
    }

    /// <summary>Adds to each piece how often it is expected in a word: the forward-backward algorithm.</summary>
    /// <param name="word">The word.</param>
    /// <param name="count">How often it occurs.</param>
    /// <param name="expected">By piece.</param>
    /// <returns>The logarithm of the word's probability.</returns>
    public double AddExpected(ReadOnlySpan<char> word, double count, double[] expected)
    {
        FindEdges(word, without: null);
        Array.Fill(_forward, double.NegativeInfinity, 0, word.Length + 1);
        Array.Fill(_backward, double.NegativeInfinity, 0, word.Length + 1);
        (_forward[0], _backward[word.Length]) = (0, 0);
        foreach ((int start, int end, _, double score) in _edges)
            _forward[end] = LogSum(_forward[end], _forward[start] + score);
        for (int i = _edges.Count - 1; i >= 0; i--)
        {
            (int start, int end, _, double score) = _edges[i];
            _backward[start] = LogSum(_backward[start], _backward[end] + score);
        }

        double all = _forward[word.Length];
        foreach ((int start, int end, int piece, double score) in _edges)
        {
            if (piece != Unknown)
                expected[piece] += count * Math.Exp(_forward[start] + score + _backward[end] - all);
        }

        return all;
    }

    /// <summary>The most probable way to make a word, by the Viterbi algorithm; of equals the one whose last pieces are longer.</summary>
    /// <param name="word">The word.</param>
    /// <param name="without">A piece that may not be taken; null: any may.</param>
    /// <param name="found">Takes the pieces, in any order.</param>
    /// <returns>The logarithm of its probability.</returns>
    public double FindBest(ReadOnlySpan<char> word, int? without, List<int> found)
    {
        FindEdges(word, without);
        Array.Fill(_forward, double.NegativeInfinity, 0, word.Length + 1);
        _forward[0] = 0;
        for (int i = 0; i < _edges.Count; i++)
        {
            (int start, int end, _, double score) = _edges[i];
            if (_forward[start] + score > _forward[end])
                (_forward[end], _bestEdges[end]) = (_forward[start] + score, i);
        }

        found.Clear();
        for (int end = word.Length; end > 0; end = _edges[_bestEdges[end]].Start)
            found.Add(_edges[_bestEdges[end]].Piece);
        return _forward[word.Length];
    }

    private void FindEdges(ReadOnlySpan<char> word, int? without)
    {
        if (word.Length + 1 > _forward.Length)
        {
            int size = 2 * word.Length + 1;
            (_forward, _backward, _bestEdges) = (new double[size], new double[size], new int[size]);
        }

        _edges.Clear();
        for (int start = 0; start < word.Length;)
        {
            int characterEnd = start + (char.IsHighSurrogate(word[start]) ? 2 : 1);
            bool hasCharacter = false;
            CharacterTrie.Walk walk = _trie.Begin();
            for (int end = start; end < word.Length && walk.Step(word[end]);)
            {
                end++;
                if (walk.Value < 0 || walk.Value == without)
                    continue;
                _edges.Add((start, end, walk.Value, _scores[walk.Value]));
                hasCharacter |= end == characterEnd;
            }

            if (!hasCharacter)
                _edges.Add((start, characterEnd, Unknown, _unknownScore));
            start = characterEnd;
        }
    }

    private static double LogSum(double left, double right)
    {
        (double larger, double smaller) = left > right ? (left, right) : (right, left);
        return double.IsNegativeInfinity(smaller) ? larger : larger + Math.Log(1 + Math.Exp(smaller - larger));
    }
}
