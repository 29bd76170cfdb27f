namespace MLTransfer.Torch.Generation;

/// <summary>Finds where a cumulative sum in sorted order passes a limit, without sorting (quickselect by weight).</summary>
internal static class MassSelection
{
    private const int SortedLength = 48;

    /// <summary>Finds the first key, in ascending order, up to which weights add up to more than a limit.</summary>
    /// <param name="keys">Distinct keys, at least one, of <see cref="SortableKey"/>; they are reordered.</param>
    /// <param name="weights">The weight of each key's index; not negative.</param>
    /// <param name="limit">What the sum has to pass.</param>
    /// <returns>The key, or the largest one if the sum of all weights does not pass the limit.</returns>
    public static ulong FindCrossing(Span<ulong> keys, ReadOnlySpan<float> weights, double limit)
    {
        double before = 0; // the weight of the smaller keys that have been set aside
        while (keys.Length > SortedLength)
        {
            var pivot = Median(keys[0], keys[keys.Length / 2], keys[^1]);
            var lower = Partition(keys, pivot); // both parts have a key at least, since the pivot is a median of distinct keys
            var weight = before;
            foreach (var key in keys[..lower])
                weight += weights[SortableKey.Index(key)];
            if (weight > limit)
            {
                keys = keys[..lower];
            }
            else
            {
                before = weight;
                keys = keys[lower..];
            }
        }

        keys.Sort();
        foreach (var key in keys)
        {
            before += weights[SortableKey.Index(key)];
            if (before > limit)
                return key;
        }

        return keys[^1];
    }

    private static ulong Median(ulong a, ulong b, ulong c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));

    /// <summary>Moves keys below the pivot to the front and gives their number.</summary>
    private static int Partition(Span<ulong> keys, ulong pivot)
    {
        var lower = 0;
        for (var i = 0; i < keys.Length; i++)
        {
            var key = keys[i];
            keys[i] = keys[lower];
            keys[lower] = key;
            lower += key < pivot ? 1 : 0;
        }

        return lower;
    }
}
