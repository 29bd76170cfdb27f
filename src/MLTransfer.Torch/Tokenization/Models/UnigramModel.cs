using System.Buffers;

namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>
/// A unigram language model (Kudo, arXiv 1804.10959): of all ways to make the text of tokens the one with the highest sum of scores.
/// A character that no token begins at and ends with costs 10 more than the worst token; neighbouring ones are one token.
/// </summary>
internal sealed class UnigramModel : ITokenModel
{
    /// <summary>What a character without a token costs more than the worst token.</summary>
    public const double UnknownPenalty = 10;

    private readonly double[] _scores;
    private readonly CharacterTrie _trie = new();
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly int? _unknownId;
    private readonly double _unknownScore;
    private readonly int[]? _byteIds;

    /// <param name="pieces">The tokens with their scores, by id.</param>
    /// <param name="unknownId">The token for what no token has, if there is one.</param>
    /// <param name="fallsBackToBytes">Whether unknown text is written in tokens such as <c>&lt;0xE2&gt;</c>, where all are there.</param>
    /// <param name="file">The file to name in errors.</param>
    public UnigramModel(IReadOnlyList<(string Token, double Score)> pieces, int? unknownId, bool fallsBackToBytes, string file)
    {
        Vocabulary = new TokenVocabulary(file);
        _scores = new double[pieces.Count];
        double lowest = double.PositiveInfinity;
        for (int id = 0; id < pieces.Count; id++)
        {
            (string token, _scores[id]) = pieces[id];
            Vocabulary.Set(token, id);
            if (token.Length > 0)
                _trie.Add(token, id);
            lowest = Math.Min(lowest, _scores[id]);
        }

        _ids = Vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _unknownId = unknownId;
        _unknownScore = lowest - UnknownPenalty;
        _byteIds = fallsBackToBytes ? ByteTokens.IdsOf(Vocabulary) : null;
    }

    public TokenVocabulary Vocabulary { get; }

    /// <summary>The tokens' scores by id.</summary>
    public ReadOnlySpan<double> Scores => _scores;

    /// <summary>The token for what no token has.</summary>
    public int? UnknownIdShownAsText => _unknownId;

    public void Tokenize(ReadOnlySpan<char> word, TokenBuffer tokens)
    {
        int size = word.Length + 1;
        double[] scores = ArrayPool<double>.Shared.Rent(size);
        int[] starts = ArrayPool<int>.Shared.Rent(size);
        int[] ids = ArrayPool<int>.Shared.Rent(size);
        try
        {
            FindBest(word, scores, starts, ids);
            AddTokens(word, starts, ids, tokens);
        }
        finally
        {
            ArrayPool<double>.Shared.Return(scores);
            ArrayPool<int>.Shared.Return(starts);
            ArrayPool<int>.Shared.Return(ids);
        }
    }

    /// <summary>Fills in, for each place that tokens can end at, the best sum of scores and the token that ends there.</summary>
    private void FindBest(ReadOnlySpan<char> word, double[] scores, int[] starts, int[] ids)
    {
        starts.AsSpan(0, word.Length + 1).Fill(-1);
        scores[0] = 0;
        for (int start = 0; start < word.Length;)
        {
            int characterEnd = start + (char.IsHighSurrogate(word[start]) ? 2 : 1);
            bool hasCharacter = false;
            CharacterTrie.Walk walk = _trie.Begin();
            for (int end = start; end < word.Length && walk.Step(word[end]);)
            {
                end++;
                if (walk.Value < 0)
                    continue;
                Offer(end, scores[start] + _scores[walk.Value], start, walk.Value);
                hasCharacter |= end == characterEnd;
            }

            if (!hasCharacter)
            {
                Offer(characterEnd, scores[start] + _unknownScore, start,
                    _unknownId ?? throw UnknownText.WithoutToken(word[start..characterEnd], null));
            }

            start = characterEnd;
        }

        void Offer(int end, double score, int start, int id)
        {
            if (starts[end] < 0 || score > scores[end])
                (scores[end], starts[end], ids[end]) = (score, start, id);
        }
    }

    private void AddTokens(ReadOnlySpan<char> word, int[] starts, int[] ids, TokenBuffer tokens)
    {
        // Turn the chain of tokens around: ids[start] and starts[start] become the token that begins there, and its end.
        int end = word.Length;
        int nextEnd = -1;
        int nextId = -1;
        while (true)
        {
            (int start, int id) = (starts[end], ids[end]);
            (starts[end], ids[end]) = (nextEnd, nextId);
            if (end == 0)
                break;
            (nextEnd, nextId, end) = (end, id, start);
        }

        for (int start = 0; start < word.Length;)
        {
            (int stop, int id) = (starts[start], ids[start]);
            if (id == _unknownId)
            {
                while (stop < word.Length && ids[stop] == _unknownId)
                    stop = starts[stop];
                AddUnknown(word[start..stop], start, tokens);
            }
            else
            {
                // Of a token that is there twice the last one is found by its text.
                tokens.Add(_ids.TryGetValue(word[start..stop], out int known) ? known : id, start, stop);
            }

            start = stop;
        }
    }

    private void AddUnknown(ReadOnlySpan<char> text, int start, TokenBuffer tokens)
    {
        if (_ids.TryGetValue(text, out int known))
        {
            tokens.Add(known, start, start + text.Length);
            return;
        }

        if (_byteIds is not null && ByteTokens.TryEncode(text, _byteIds, out int[] bytes))
        {
            foreach (int id in bytes)
                tokens.Add(id, start, start + text.Length);
            return;
        }

        tokens.Add(_unknownId!.Value, start, start + text.Length);
    }
}
