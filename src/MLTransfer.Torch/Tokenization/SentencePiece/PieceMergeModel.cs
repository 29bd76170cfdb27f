namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>
/// SentencePiece's byte-pair model: of all neighbours whose union is a piece, those of the highest score are joined first, the leftmost
/// of equals. Pieces that a user defined are not joined to anything.
/// </summary>
internal sealed class PieceMergeModel : SentencePieceModel
{
    private const int None = -1;

    private readonly int _longestPiece;
    private readonly bool _hasUnused;

    public PieceMergeModel(SentencePieceFile file, string name) : base(file, name)
    {
        _longestPiece = file.Pieces.Max(piece => piece.Text.Length);
        _hasUnused = file.Pieces.Any(piece => piece.Kind == PieceKind.Unused);
    }

    protected override void Find(ReadOnlySpan<char> text, List<(int Start, int Id)> pieces)
    {
        // By place of its first unit: the end of a symbol, its neighbours, whether it is fixed.
        int[] ends = new int[text.Length];
        int[] previous = new int[text.Length];
        bool[] isFixed = new bool[text.Length];
        var queue = new PriorityQueue<(int Left, int Right, int End), (float Score, int Left)>(
            Comparer<(float Score, int Left)>.Create((x, y) =>
                x.Score != y.Score ? y.Score.CompareTo(x.Score) : x.Left.CompareTo(y.Left)));
        var parts = _hasUnused ? new Dictionary<(int Start, int End), int>() : null;

        int last = None;
        for (int start = 0; start < text.Length; start = ends[start])
        {
            ends[start] = start + Prefixes.FirstLength(text[start..], out isFixed[start]);
            previous[start] = last;
            last = start;
        }

        for (int start = 0; start < text.Length; start = ends[start])
            Offer(text, start);

        while (queue.TryDequeue(out (int Left, int Right, int End) pair, out _))
        {
            // One of the two may have been joined to another since.
            if (ends[pair.Left] != pair.Right || ends[pair.Right] != pair.End)
                continue;
            parts?.TryAdd((pair.Left, pair.End), pair.Right);
            ends[pair.Left] = pair.End;
            ends[pair.Right] = None;
            if (pair.End < text.Length)
                previous[pair.End] = pair.Left;
            if (previous[pair.Left] != None)
                Offer(text, previous[pair.Left]);
            Offer(text, pair.Left);
        }

        for (int start = 0; start < text.Length; start = ends[start])
            Add(text, start, ends[start], parts, pieces);

        void Offer(ReadOnlySpan<char> text, int left)
        {
            int right = ends[left];
            if (right == text.Length || isFixed[left] || isFixed[right] || ends[right] - left > _longestPiece)
                return;
            int id = IdOf(text[left..ends[right]]);
            if (id >= 0)
                queue.Enqueue((left, right, ends[right]), (File.Pieces[id].Score, left));
        }
    }

    /// <summary>Adds a symbol; one that is not used is taken apart again.</summary>
    private void Add(
        ReadOnlySpan<char> text, int start, int end, Dictionary<(int Start, int End), int>? parts, List<(int Start, int Id)> pieces)
    {
        int id = IdOf(text[start..end]);
        if (id >= 0 && File.Pieces[id].Kind == PieceKind.Unused && parts!.TryGetValue((start, end), out int middle))
        {
            Add(text, start, middle, parts, pieces);
            Add(text, middle, end, parts, pieces);
            return;
        }

        pieces.Add((start, id));
    }
}
