using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>The past key values of all layers, in memory that is reserved once.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys;   // each [batch, heads, capacity, head width]
    private readonly Tensor[] _values;
    private CachedRows[]? _rows; // the same memory as row kernels see it; null where it is to be looked up anew

    /// <summary>Reserves room.</summary>
    /// <param name="layers">The heads of keys and values of each layer, and their width.</param>
    /// <param name="batch">The number of sequences.</param>
    /// <param name="capacity">Positions of a sequence.</param>
    /// <param name="dataType">The type that keys and values are kept in.</param>
    /// <param name="device">Where they are kept.</param>
    public KeyValueCache(IReadOnlyList<(int Heads, int HeadWidth)> layers, int batch, int capacity, ScalarType dataType, Device device)
    {
        ArgumentNullException.ThrowIfNull(layers);
        Capacity = capacity;
        _keys = [.. layers.Select(Reserve)];
        _values = [.. layers.Select(Reserve)];

        Tensor Reserve((int Heads, int HeadWidth) layer) =>
            zeros([batch, layer.Heads, capacity, layer.HeadWidth], dataType, device).DetachFromDisposeScope();
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

    /// <summary>Stores the keys and values of one new position of each sequence, at <see cref="Length"/>.</summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="keys">[batch, heads, head width].</param>
    /// <param name="values">[batch, heads, head width].</param>
    internal void Store(int layer, RowSlices keys, RowSlices values)
    {
        if (Length == Capacity)
            throw Overflow(1);
        Rows(layer).Store(Length, keys, values);
    }

    /// <summary>Attends from one new position of each sequence, which is stored, to all positions that it may see.</summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="queries">[batch, query heads, head width]; the query heads are a multiple of the cache's.</param>
    /// <param name="attention">What rows see of the <see cref="Length"/> + 1 positions.</param>
    /// <param name="output">[batch, query heads, head width].</param>
    /// <param name="threads">The most threads that are used.</param>
    internal void Attend(int layer, RowSlices queries, AttentionRows attention, Span<float> output, int threads) =>
        RowAttention.Compute(queries, Rows(layer) with { Length = Length + 1 }, attention, output, threads);

    /// <summary>Counts the positions that every layer has appended.</summary>
    public void Advance(int positions) => Length += positions;

    /// <summary>Forgets all positions; the memory stays.</summary>
    public void Clear() => Length = 0;

    /// <summary>Replaces the sequences by a selection of them, as beam search and finished sequences need.</summary>
    /// <param name="rows">[new batch] int64 indices of sequences.</param>
    /// <param name="droppedPositions">How many of the first positions are dropped from all sequences, as padding that none needs any
    /// more.</param>
    public void SelectRows(Tensor rows, int droppedPositions = 0)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)droppedPositions, (uint)Length);
        using var scope = NewDisposeScope();
        _rows = null;
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

    private CachedRows Rows(int layer) => (_rows ??= [.. _keys.Zip(_values, (keys, values) => CachedRows.Of(keys, values))])[layer];

    private InvalidOperationException Overflow(long added) =>
        new($"The key-value cache holds {Capacity} positions; {Length} are filled and {added} more do not fit.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _rows = null;
        foreach (var tensor in _keys)
            tensor.Dispose();
        foreach (var tensor in _values)
            tensor.Dispose();
    }
}
