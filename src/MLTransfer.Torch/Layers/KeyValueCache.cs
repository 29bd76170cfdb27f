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
            throw new InvalidOperationException($"The key-value cache holds {Capacity} positions; {Length} are filled and {added} more do not fit.");
        using (var target = _keys[layer].narrow(2, Length, added))
            target.copy_(keys);
        using (var target = _values[layer].narrow(2, Length, added))
            target.copy_(values);
        return (_keys[layer].narrow(2, 0, Length + added), _values[layer].narrow(2, 0, Length + added));
    }

    /// <summary>Counts the positions that every layer has appended.</summary>
    public void Advance(int positions) => Length += positions;

    /// <summary>Forgets all positions; the memory stays.</summary>
    public void Clear() => Length = 0;

    /// <summary>Replaces the sequences by a selection of them, as beam search and finished sequences need.</summary>
    /// <param name="rows">[new batch] int64 indices of sequences.</param>
    public void SelectRows(Tensor rows)
    {
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            _keys[layer] = Select(_keys[layer], rows);
            _values[layer] = Select(_values[layer], rows);
        }

        static Tensor Select(Tensor all, Tensor rows)
        {
            using (all)
                return all.index_select(0, rows).DetachFromDisposeScope();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys)
            tensor.Dispose();
        foreach (var tensor in _values)
            tensor.Dispose();
    }
}
