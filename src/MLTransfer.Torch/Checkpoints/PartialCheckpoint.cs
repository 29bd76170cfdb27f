using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>The tensors of another checkpoint whose names begin with a prefix, without it: a network inside of a larger one.</summary>
/// <param name="whole">It stays the caller's.</param>
/// <param name="prefix">Such as <c>decoder.</c>.</param>
internal sealed class PartialCheckpoint(Checkpoint whole, string prefix) : Checkpoint(whole.Location)
{
    public override IReadOnlyDictionary<string, TensorInfo> Tensors { get; } = whole.Tensors
        .Where(tensor => tensor.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(tensor => tensor.Key[prefix.Length..], tensor => tensor.Value);

    public override Tensor Read(string name) => whole.Read(prefix + name);

    internal override void ReleaseMemory(string name) => whole.ReleaseMemory(prefix + name);

    protected override void Dispose(bool disposing)
    {
        // Nothing is held.
    }
}
