using System.Text;
using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>SentencePiece's unigram model (`EncodeOptimized`), in its number formats.</summary>
internal sealed class PieceUnigramModel : SentencePieceModel
{
    private const float UnknownPenalty = 10;

    // What SentencePiece takes for the highest score: the smallest number above 0, which no score of a piece exceeds.
    private const float HighestScore = 1.17549435e-38f;

    private readonly CharacterTrie _trie = new();
    private readonly double[] _scores;
    private readonly float _unknownScore;

    public PieceUnigramModel(SentencePieceFile file, string name) : base(file, name)
    {
        float lowest = float.MaxValue;
        float highest = HighestScore;
        foreach ((_, float score, PieceKind kind) in file.Pieces)
        {
            if (kind != PieceKind.Normal)
                continue;
            lowest = Math.Min(lowest, score);
            highest = Math.Max(highest, score);
        }

        _unknownScore = lowest - UnknownPenalty;
        _scores = new double[file.Pieces.Count];
        for (int id = 0; id < _scores.Length; id++)
        {
            (string text, float score, PieceKind kind) = file.Pieces[id];
            if (kind is PieceKind.Normal or PieceKind.UserDefined)
                _trie.Add(text, id);

            // A piece that a user defined is taken wherever it is found.
            _scores[id] = kind == PieceKind.UserDefined ? Encoding.UTF8.GetByteCount(text) * highest - 0.1 : score;
        }
    }

    protected override void Find(ReadOnlySpan<char> text, List<(int Start, int Id)> pieces)
    {
        var best = new (float Score, int Start, int Id)[text.Length + 1];
        for (int i = 1; i < best.Length; i++)
            best[i].Start = -1;
        for (int start = 0; start < text.Length;)
        {
            int characterEnd = start + (char.IsHighSurrogate(text[start]) ? 2 : 1);
            bool hasCharacter = false;
            CharacterTrie.Walk walk = _trie.Begin();
            for (int end = start; end < text.Length && walk.Step(text[end]);)
            {
                end++;
                if (walk.Value < 0)
                    continue;
                Offer(ref best[end], _scores[walk.Value] + best[start].Score, start, walk.Value);
                hasCharacter |= end == characterEnd;
            }

            if (!hasCharacter)
                Offer(ref best[characterEnd], _unknownScore + best[start].Score, start, -1);
            start = characterEnd;
        }

        int first = pieces.Count;
        for (int end = text.Length; end > 0; end = best[end].Start)
            pieces.Add((best[end].Start, best[end].Id));
        pieces.Reverse(first, pieces.Count - first);
    }

    private static void Offer(ref (float Score, int Start, int Id) best, double score, int start, int id)
    {
        if (best.Start < 0 || score > best.Score)
            best = ((float)score, start, id);
    }
}
