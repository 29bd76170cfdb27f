using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>The past key values of all layers, in memory that is reserved once.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys;   // each [batch, heads, capacity, head width]
    private readonly Tensor[] _values;

    /// <summary>Reserves room for <paramref name="capacity"/> positions of <paramref name="batch"/> sequences.</summary>
    public KeyValueCache(int layers, int batch, int heads, int capacity, int headWidth, ScalarType dataType, Device device)
    {
        Capacity = capacity;
        _keys = new Tensor[layers];
        _values = new Tensor[layers];
        for (var layer = 0; layer < layers; layer++)
        {
            _keys[layer] = zeros([batch, heads, capacity, headWidth], dataType, device).DetachFromDisposeScope();
            _values[layer] = zeros([batch, heads, capacity, headWidth], dataType, device).DetachFromDisposeScope();
        }
    }

    /// <summary>How many positions fit.</summary>
    public int Capacity { get; }

    /// <summary>How many positions are filled, padding included.</summary>
    public int Length { get; private set; }

    /// <summary>Stores the keys and values of new positions and gives those of all positions so far.</summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="keys">[batch, heads, new positions, head width].</param>
    /// <param name="values">[batch, heads, new positions, head width].</param>
    /// <returns>Views of [batch, heads, <see cref="Length"/> + new positions, head width].</returns>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var added = keys.shape[2];
        if (Length + added > Capacity)
            throw Overflow(added);
        using (var target = _keys[layer].narrow(2, Length, added))
            target.copy_(keys);
        using (var target = _values[layer].narrow(2, Length, added))
            target.copy_(values);
        return (_keys[layer].narrow(2, 0, Length + added), _values[layer].narrow(2, 0, Length + added));
    }

    /// <summary>Whether row kernels read the cache.</summary>
    internal bool HasRowKernels => _keys.Length == 0 || RowMatrix.Supports(_keys[0]);

    /// <summary>Stores the keys and values of one new position a row, and attends to all positions that rows may see.</summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="queriesKeysValues">[rows, 3, heads, head width].</param>
    /// <param name="step">The step; its rows are those of the cache.</param>
    /// <param name="scale">What query times key is multiplied with.</param>
    /// <param name="output">[rows, heads, head width].</param>
    internal void Attend(int layer, ReadOnlySpan<float> queriesKeysValues, DecodingStep step, float scale, Span<float> output)
    {
        if (Length == Capacity)
            throw Overflow(1);
        var (keys, values) = (_keys[layer], _values[layer]);
        ArgumentOutOfRangeException.ThrowIfNotEqual(step.Rows, (int)keys.size(0), nameof(step));
        unsafe
        {
            var rows = new CachedRows(
                (nint)NativeTensor.Pointer(keys), (nint)NativeTensor.Pointer(values), keys.dtype == ScalarType.BFloat16,
                (int)keys.size(1), (int)keys.size(3), Capacity, Length);
            RowAttention.Compute(queriesKeysValues, rows, step.Starts, scale, output, step.Threads);
        }
    }

    /// <summary>Counts the positions that every layer has appended.</summary>
    public void Advance(int positions) => Length += positions;

    /// <summary>Forgets all positions; the memory stays.</summary>
    public void Clear() => Length = 0;

    /// <summary>Replaces the sequences by a selection of them, as beam search and finished sequences need.</summary>
    /// <param name="rows">[new batch] int64 indices of sequences.</param>
    /// <param name="droppedPositions">How many of the first positions are dropped from all sequences, as padding that none needs any more.</param>
    public void SelectRows(Tensor rows, int droppedPositions = 0)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)droppedPositions, (uint)Length);
        using var scope = NewDisposeScope();
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            _keys[layer] = Select(_keys[layer]);
            _values[layer] = Select(_values[layer]);
        }

        Length -= droppedPositions;

        Tensor Select(Tensor all)
        {
            using var selected = all.narrow(2, droppedPositions, Length - droppedPositions).index_select(0, rows);
            var (kept, heads, width) = (selected.shape[0], all.shape[1], all.shape[3]);
            var target = kept == all.shape[0] ? all : empty([kept, heads, Capacity, width], all.dtype, all.device);
            using (var filled = target.narrow(2, 0, Length - droppedPositions))
                filled.copy_(selected);
            if (ReferenceEquals(target, all))
                return all;
            all.Dispose();
            return target.DetachFromDisposeScope();
        }
    }

    /// <summary>Overwrites the last positions of some sequences with all positions of the sequences of another cache.</summary>
    /// <param name="rows">For each sequence of <paramref name="source"/> the index of the one that is overwritten here.</param>
    /// <param name="source">A cache of the same model with at most <see cref="Length"/> positions.</param>
    public void OverwriteEnd(ReadOnlySpan<int> rows, KeyValueCache source)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, Length);
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                Copy(source._keys[layer], _keys[layer], i, rows[i]);
                Copy(source._values[layer], _values[layer], i, rows[i]);
            }
        }

        void Copy(Tensor from, Tensor to, int sourceRow, int row)
        {
            using var scope = NewDisposeScope();
            to[row].narrow(1, Length - source.Length, source.Length).copy_(from[sourceRow].narrow(1, 0, source.Length));
        }
    }

    private InvalidOperationException Overflow(long added) =>
        new($"The key-value cache holds {Capacity} positions; {Length} are filled and {added} more do not fit.");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys)
            tensor.Dispose();
        foreach (var tensor in _values)
            tensor.Dispose();
    }
}
