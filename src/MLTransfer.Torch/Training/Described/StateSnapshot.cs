using MLTransfer.Torch.Networks.Described;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>A copy of what training changes in a network, to go back to.</summary>
internal sealed class StateSnapshot : IDisposable
{
    private readonly List<Tensor> _state;
    private readonly List<Tensor> _copies;

    public StateSnapshot(TransferNetwork network)
    {
        _state = [.. network.State];
        using var gradients = no_grad();
        _copies = [.. _state.Select(tensor => tensor.clone().DetachFromDisposeScope())];
    }

    /// <summary>Takes the state as it is now.</summary>
    public void Take() => Copy(_state, _copies);

    public void Restore() => Copy(_copies, _state);

    public void Dispose() => _copies.ForEach(copy => copy.Dispose());

    private static void Copy(List<Tensor> from, List<Tensor> to)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope(); // of the second wrappers that copy_ returns
        foreach (var (source, target) in from.Zip(to))
            target.copy_(source);
    }
}
