using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Generation;

/// <summary>Sequences that a TorchSharp network reads together.</summary>
internal sealed class TorchDecodingCache(CausalLanguageModel model, int rows, int capacity) : IDecodingCache
{
    private readonly Device _device = model.Device;
    private readonly KeyValueCache _cache = model.CreateCache(rows, capacity);
    // [rows, capacity] bool, false for padding; null until a padded row is read. All rows grow alike, so it stays right
    private Tensor? _mask;

    public int Length => _cache.Length;

    public void Read(long[] inputIds, long[] positionIds, ReadOnlySpan<int> lengths, Span<float> logits)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var width = inputIds.Length / lengths.Length;
        var end = Length + width;
        var isPadded = lengths.ContainsAnyExcept(end);
        if (isPadded)
            _mask ??= PaddingMask(lengths, end).DetachFromDisposeScope();
        var hiddenStates = model.ComputeHiddenStates(new ModelInput(ToTensor(inputIds, width)) // [rows, width, model width]
        {
            AttentionMask = isPadded ? _mask!.narrow(1, 0, end) : null,
            PositionIds = isPadded ? ToTensor(positionIds, width) : null,
            RowLengths = isPadded ? lengths.ToArray() : null,
            PastKeyValues = _cache,
        });
        var last = hiddenStates.narrow(1, width - 1, 1);
        var result = model.ComputeLogits(last).to(ScalarType.Float32).to(CPU).contiguous(); // [rows, 1, vocabulary]
        NativeTensor.AsSpan<float>(result).CopyTo(logits);
    }

    public void SelectRows(ReadOnlySpan<int> rows, int droppedPositions)
    {
        using var scope = NewDisposeScope();
        var indices = new long[rows.Length];
        for (var row = 0; row < rows.Length; row++)
            indices[row] = rows[row];
        _cache.SelectRows(tensor(indices, device: _device), droppedPositions);
        ForgetMask();
    }

    public void OverwriteEnd(ReadOnlySpan<int> rows, IDecodingCache source)
    {
        _cache.OverwriteEnd(rows, ((TorchDecodingCache)source)._cache);
        ForgetMask();
    }

    public void Clear()
    {
        _cache.Clear();
        ForgetMask();
    }

    public void Dispose()
    {
        _cache.Dispose();
        ForgetMask();
    }

    private void ForgetMask()
    {
        _mask?.Dispose();
        _mask = null;
    }

    /// <summary>[rows, capacity] bool: false where a row that ends at a position has not begun yet.</summary>
    private Tensor PaddingMask(ReadOnlySpan<int> lengths, int end)
    {
        var width = _cache.Capacity;
        var mask = new bool[checked(lengths.Length * width)];
        for (var row = 0; row < lengths.Length; row++)
            mask.AsSpan(row * width + end - lengths[row], width - end + lengths[row]).Fill(true);
        return tensor(mask, device: _device).view(lengths.Length, width);
    }

    private Tensor ToTensor(long[] values, int width) => tensor(values, device: _device).view(values.Length / width, width);
}
