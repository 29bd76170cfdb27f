namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>A tensor as a file's header describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its number format.</param>
/// <param name="Shape">The extents, the outermost first, as torch has them; the file has them the other way round.</param>
/// <param name="Offset">Where its data begins, from the beginning of the file's data.</param>
/// <param name="Bytes">The length of its data.</param>
internal sealed record GgufTensor(string Name, GgufTensorType Type, long[] Shape, long Offset, long Bytes);
