using System.Buffers;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// Byte-pair encoding of one word (Sennrich et al., arXiv 1508.07909, on bytes as in GPT-2): starting from single bytes, the
/// adjacent pair of the lowest rank, the leftmost of equals, is joined until no pair has a rank. Pairs wait in a heap and symbols
/// are a linked list, so that a word of n bytes takes O(n log n) time; joins follow `Word::merge_all` of Hugging Face's tokenizers.
/// </summary>
internal sealed class BytePairMerger
{
    private const int StackSymbols = 256;
    private const int KeptQueueCapacity = 1 << 16;
    private const int None = -1;

    [ThreadStatic]
    private static PriorityQueue<int, ulong>? t_queue;

    private readonly int[] _byteIds;
    private readonly Dictionary<ulong, Merge> _merges;

    private readonly record struct Merge(int Rank, int Id);

    /// <param name="vocabulary">Token to id.</param>
    /// <param name="merges">Pairs of tokens in order of rank.</param>
    /// <param name="unknownId">The id for a byte without a token; null: such a byte is dropped.</param>
    /// <param name="mergesFile">The file to name in errors.</param>
    public BytePairMerger(
        Dictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, int? unknownId, string mergesFile)
    {
        _byteIds = [.. Enumerable.Range(0, 256).Select(value =>
            vocabulary.TryGetValue(ByteLevelAlphabet.CharacterOf((byte)value).ToString(), out int id) ? id : unknownId ?? None)];

        _merges = new Dictionary<ulong, Merge>(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            (string left, string right) = merges[rank];
            // Of a pair that is listed twice the later rank counts, as in the reference.
            _merges[Pair(IdOf(left), IdOf(right))] = new Merge(rank, IdOf(left + right));

            int IdOf(string token) => vocabulary.TryGetValue(token, out int id) ? id : throw new InvalidDataException(
                $"{mergesFile}: merge {rank + 1} ('{left}' with '{right}') needs the token '{token}', which is not in the vocabulary. " +
                "The merges and the vocabulary must come from the same tokenizer.");
        }
    }

    /// <summary>Appends the tokens of a word, given as UTF-8.</summary>
    public void Encode(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (word.Length <= StackSymbols)
        {
            Encode(word, stackalloc int[word.Length], stackalloc int[word.Length], stackalloc int[word.Length], ids);
            return;
        }

        int[] buffer = ArrayPool<int>.Shared.Rent(checked(3 * word.Length));
        try
        {
            Encode(
                word, buffer.AsSpan(0, word.Length), buffer.AsSpan(word.Length, word.Length),
                buffer.AsSpan(2 * word.Length, word.Length), ids);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(buffer);
        }
    }

    /// <param name="word">The bytes.</param>
    /// <param name="symbols">Room for the token of each symbol; <see cref="None"/> once it is joined to the one before.</param>
    /// <param name="previous">Room for the position of the symbol before, or <see cref="None"/>.</param>
    /// <param name="next">Room for the position of the symbol after, or <see cref="None"/>.</param>
    /// <param name="ids">Takes the tokens.</param>
    private void Encode(ReadOnlySpan<byte> word, Span<int> symbols, Span<int> previous, Span<int> next, List<int> ids)
    {
        int count = 0;
        foreach (byte value in word)
        {
            int id = _byteIds[value];
            if (id == None)
                continue;
            symbols[count] = id;
            previous[count] = count - 1;
            next[count] = count + 1;
            count++;
        }

        if (count == 0)
            return;
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

        for (int position = 0; position != None; position = next[position])
            ids.Add(symbols[position]);

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
