using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Tensors in memory, which stay their owner's; what is read is a copy.</summary>
internal sealed class TensorCheckpoint : Checkpoint
{
    private readonly Dictionary<string, Tensor> _tensors;

    /// <param name="location">What error messages call it.</param>
    /// <param name="tensors">The tensors by name.</param>
    public TensorCheckpoint(string location, IEnumerable<KeyValuePair<string, Tensor>> tensors)
        : base(location)
    {
        _tensors = new Dictionary<string, Tensor>(tensors);
        Tensors = _tensors.ToDictionary(pair => pair.Key, pair => new TensorInfo(pair.Value.dtype, pair.Value.shape));
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    public override Tensor Read(string name)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
            throw Missing(name);
        using var gradients = no_grad();
        return tensor.detach().clone();
    }

    protected override void Dispose(bool disposing)
    {
        // Nothing is held.
    }
}
