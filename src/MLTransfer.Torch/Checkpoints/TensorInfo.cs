using TorchSharp;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>What a checkpoint says of a tensor before it is read.</summary>
/// <param name="DataType">The element type on disk, which is that of the tensor read.</param>
/// <param name="Shape">The extents; empty for a scalar.</param>
public sealed record TensorInfo(torch.ScalarType DataType, IReadOnlyList<long> Shape);
