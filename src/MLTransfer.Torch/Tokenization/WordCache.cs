using System.Collections.Concurrent;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// The tokens of words seen before. Thread-safe and bounded: natural text repeats few words very often, so when the cache is full
/// it starts anew, which costs little and keeps no book of what was used last.
/// </summary>
internal sealed class WordCache
{
    private const int MaximumWords = 1 << 16;
    private const int MaximumWordLength = 64;

    private volatile Generation _generation = new();

    public int Count => _generation.Count;

    public bool TryGet(ReadOnlySpan<char> word, out int[]? ids)
    {
        ids = null;
        return word.Length <= MaximumWordLength && _generation.Lookup.TryGetValue(word, out ids);
    }

    public void Add(ReadOnlySpan<char> word, ReadOnlySpan<int> ids)
    {
        if (word.Length > MaximumWordLength)
            return;

        Generation generation = _generation;
        if (generation.Lookup.TryAdd(word, ids.ToArray()) && Interlocked.Increment(ref generation.Count) >= MaximumWords)
            _generation = new Generation();
    }

    private sealed class Generation
    {
        public readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> Lookup =
            new ConcurrentDictionary<string, int[]>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

        public int Count;
    }
}
