using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>What a pickle says of a storage, a flat run of elements that tensors are views of.</summary>
/// <param name="Key">Its name in the archive.</param>
/// <param name="Type">The element type.</param>
/// <param name="Count">The number of elements.</param>
internal sealed record PickledStorage(string Key, ScalarType Type, long Count)
{
    public int ElementSize => NativeTensor.ElementSize(Type);
}
