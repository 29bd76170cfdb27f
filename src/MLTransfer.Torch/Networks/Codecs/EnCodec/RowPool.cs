using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Memory of sequences that was used before in the same pass: the system need not clear new pages for each layer.</summary>
internal sealed class RowPool : IDisposable
{
    private readonly List<Tensor> _free = [];

    /// <summary>At least so many float32 numbers, which may be anything.</summary>
    public Tensor Rent(long count)
    {
        var index = -1;
        for (var i = 0; i < _free.Count; i++)
        {
            if (_free[i].numel() >= count && (index < 0 || _free[i].numel() < _free[index].numel()))
                index = i;
        }

        if (index < 0)
            return empty([count], ScalarType.Float32).DetachFromDisposeScope();
        var memory = _free[index];
        _free.RemoveAt(index);
        return memory;
    }

    /// <summary>Takes memory back that nothing reads any more.</summary>
    public void Return(Tensor memory) => _free.Add(memory);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var memory in _free)
            memory.Dispose();
    }
}
