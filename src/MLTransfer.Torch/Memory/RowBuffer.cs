using System.Buffers;

namespace MLTransfer.Torch.Memory;

/// <summary>Float32 scratch that is borrowed and given back, not cleared.</summary>
internal readonly struct RowBuffer(int length) : IDisposable
{
    private readonly float[]? _array = ArrayPool<float>.Shared.Rent(length);
    private readonly int _length = length;

    public Span<float> Span => _array.AsSpan(0, _length);

    public void Dispose()
    {
        if (_array is not null)
            ArrayPool<float>.Shared.Return(_array);
    }
}
