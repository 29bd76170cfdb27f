namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>
/// Byte-pair encoding of one word (Sennrich et al., arXiv 1508.07909): starting from single symbols, the adjacent pair of the lowest
/// rank, the leftmost of equals, is joined until no pair has a rank. Pairs wait in a heap and symbols are a linked list, so that a word
/// of n symbols takes O(n log n) time; joins follow `Word::merge_all` of Hugging Face's tokenizers.
/// </summary>
internal sealed class BytePairMerger
{
    private const int KeptQueueCapacity = 1 << 16;
    private const int None = -1;

    [ThreadStatic]
    private static PriorityQueue<int, ulong>? t_queue;

    private readonly Dictionary<ulong, Merge> _merges;

    private readonly record struct Merge(int Rank, int Id);

    /// <param name="merges">
    /// Pairs of ids with their rank and the id of what they make. Of a pair that is listed twice the later one counts.
    /// </param>
    /// <param name="capacity">The number of merges to make room for.</param>
    public BytePairMerger(IEnumerable<(int Left, int Right, int Rank, int Id)> merges, int capacity)
    {
        _merges = new Dictionary<ulong, Merge>(capacity);
        foreach ((int left, int right, int rank, int id) in merges)
            _merges[Pair(left, right)] = new Merge(rank, id);
    }

    /// <summary>Joins symbols.</summary>
    /// <param name="symbols">The token of each symbol; afterwards -1 for one that is joined to one before it.</param>
    /// <param name="next">Room for the position of the symbol after each, afterwards the next that stands, or -1.</param>
    /// <param name="previous">Room for the position of the symbol before each.</param>
    public void Join(Span<int> symbols, Span<int> next, Span<int> previous)
    {
        int count = symbols.Length;
        for (int position = 0; position < count; position++)
            (previous[position], next[position]) = (position - 1, position + 1);
        next[count - 1] = None;

        PriorityQueue<int, ulong> queue = t_queue ??= new PriorityQueue<int, ulong>();
        queue.Clear();
        for (int position = 0; position + 1 < count; position++)
            Enqueue(queue, position, symbols[position], symbols[position + 1]);

        while (queue.TryDequeue(out int joined, out ulong priority))
        {
            int position = (int)(uint)priority;
            int right = next[position];

            // The pair of a queue entry may have changed since.
            if (symbols[position] == None || right == None ||
                !_merges.TryGetValue(Pair(symbols[position], symbols[right]), out Merge merge) || merge.Id != joined)
            {
                continue;
            }

            symbols[position] = joined;
            symbols[right] = None;
            int after = next[right];
            next[position] = after;
            if (after != None)
            {
                previous[after] = position;
                Enqueue(queue, position, joined, symbols[after]);
            }

            int before = previous[position];
            if (before != None)
                Enqueue(queue, before, symbols[before], joined);
        }

        if (queue.EnsureCapacity(0) > KeptQueueCapacity)
            t_queue = null;
    }

    private void Enqueue(PriorityQueue<int, ulong> queue, int position, int left, int right)
    {
        if (_merges.TryGetValue(Pair(left, right), out Merge merge))
            queue.Enqueue(merge.Id, ((ulong)(uint)merge.Rank << 32) | (uint)position);
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;
}
