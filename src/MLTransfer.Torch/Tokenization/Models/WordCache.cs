using System.Numerics;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>
/// The tokens of words seen before. Natural text repeats few words very often, so each word has one place, by its hash, and a word that
/// comes later takes it. Threads share it without locks: an entry is made whole and never changes.
/// </summary>
internal sealed class WordCache
{
    private const int Places = 1 << 15;
    private const int MaximumWordLength = 64;

    private readonly Entry?[] _entries = new Entry?[Places];

    /// <summary>The number of words whose tokens are kept at the moment.</summary>
    public int Count => _entries.Count(entry => entry is not null);

    /// <summary>Appends the tokens of a word, if they are known.</summary>
    public bool TryGet(ReadOnlySpan<char> word, TokenBuffer tokens)
    {
        if (word.Length > MaximumWordLength)
            return false;
        Entry? entry = Volatile.Read(ref _entries[PlaceOf(word)]);
        if (entry is null || !word.SequenceEqual(entry.Word))
            return false;
        if (entry.Ids.Length == 1)
            tokens.Ids.Add(entry.Ids[0]);
        else
            tokens.Ids.AddRange(entry.Ids.AsSpan());
        tokens.Units?.AddRange(entry.Units.AsSpan());
        return true;
    }

    public void Add(ReadOnlySpan<char> word, ReadOnlySpan<int> ids, ReadOnlySpan<TokenUnits> units)
    {
        if (word.Length <= MaximumWordLength)
            Volatile.Write(ref _entries[PlaceOf(word)], new Entry(word.ToArray(), ids.ToArray(), units.ToArray()));
    }

    private static int PlaceOf(ReadOnlySpan<char> word)
    {
        const ulong Multiplier = 0x9E3779B97F4A7C15;
        ulong hash = (ulong)word.Length;
        ReadOnlySpan<ulong> fours = MemoryMarshal.Cast<char, ulong>(word);
        foreach (ulong four in fours)
            hash = (BitOperations.RotateLeft(hash, 25) ^ four) * Multiplier;
        ulong rest = 0;
        foreach (char unit in word[(4 * fours.Length)..])
            rest = (rest << 16) | unit;
        return (int)(((BitOperations.RotateLeft(hash, 25) ^ rest) * Multiplier) >> 49);
    }

    private sealed class Entry(char[] word, int[] ids, TokenUnits[] units)
    {
        public readonly char[] Word = word;
        public readonly int[] Ids = ids;
        public readonly TokenUnits[] Units = units;
    }
}
