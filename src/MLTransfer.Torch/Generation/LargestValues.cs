namespace MLTransfer.Torch.Generation;

/// <summary>Finds the largest of many values in one pass, without sorting them all.</summary>
internal sealed class LargestValues
{
    private readonly int _count;
    private readonly ulong[] _keys; // the largest so far and newer ones, twice the room so that compaction is rare
    private int _filled;
    private float _threshold;

    public LargestValues(int count)
    {
        _count = count;
        _keys = new ulong[checked(2 * count)];
        Clear();
    }

    public void Clear()
    {
        _filled = 0;
        _threshold = float.NegativeInfinity;
    }

    /// <summary>
    /// Takes values whose indices start at <paramref name="firstIndex"/>. Of equal values those with lower indices are kept.
    /// </summary>
    public void Add(ReadOnlySpan<float> values, int firstIndex)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] <= _threshold && _filled >= _count)
                continue;
            _keys[_filled++] = SortableKey.Create(values[i], ~(firstIndex + i));
            if (_filled == _keys.Length)
                Compact();
            else if (_filled == _count)
                _threshold = Minimum();
        }
    }

    /// <summary>The largest values with their indices, largest first; valid until the next call.</summary>
    /// <returns>Keys to be read with <see cref="IndexOf"/> and <see cref="SortableKey.Value"/>.</returns>
    public ReadOnlySpan<ulong> Result()
    {
        Compact();
        return _keys.AsSpan(0, _filled);
    }

    public static int IndexOf(ulong key) => ~SortableKey.Index(key);

    private float Minimum()
    {
        var minimum = _keys[0];
        foreach (var key in _keys.AsSpan(1, _filled - 1))
            minimum = Math.Min(minimum, key);
        return SortableKey.Value(minimum);
    }

    private void Compact()
    {
        var keys = _keys.AsSpan(0, _filled);
        keys.Sort();
        keys.Reverse();
        _filled = Math.Min(_filled, _count);
        if (_filled == _count)
            _threshold = SortableKey.Value(_keys[_count - 1]);
    }
}
