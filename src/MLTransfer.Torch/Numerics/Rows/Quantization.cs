using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Makes integers of a contiguous float32 matrix on the CPU.</summary>
/// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
/// <param name="isOutputByInput">Which of the two.</param>
internal delegate QuantizedMatrix Quantization(Tensor weight, bool isOutputByInput);
