using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>Keys and values of a block, each of a shape [batch, heads, capacity, head width].</summary>
internal sealed class PlainKeyValueCache(long[] shape, ScalarType dataType) : IDisposable
{
    private readonly Tensor _keys = zeros(shape, dataType);
    private readonly Tensor _values = zeros(shape, dataType);

    public (Tensor Keys, Tensor Values) Append(Tensor keys, Tensor values, long past)
    {
        var added = keys.shape[2];
        _keys.narrow(2, past, added).copy_(keys);
        _values.narrow(2, past, added).copy_(values);
        return (_keys.narrow(2, 0, past + added), _values.narrow(2, 0, past + added));
    }

    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }
}
