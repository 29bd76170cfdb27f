using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>A tensor to be written.</summary>
/// <param name="Name">What the file calls it.</param>
/// <param name="Type">The format to write it in: F32, F16, BF16, Q8_0 or Q4_0.</param>
/// <param name="Shape">The extents, the outermost first.</param>
/// <param name="Read">Gives the values, of that shape, when it is their turn; what it gives is disposed.</param>
internal sealed record GgufOutput(string Name, GgufTensorType Type, long[] Shape, Func<Tensor> Read);
