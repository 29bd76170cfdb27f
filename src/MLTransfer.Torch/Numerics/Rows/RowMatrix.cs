using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>A matrix and perhaps a bias in memory, as row products read them.</summary>
/// <param name="Data">The first element, aligned or not.</param>
/// <param name="Bias">[outputs] of the same type, or null.</param>
/// <param name="IsBFloat16">Whether elements are bfloat16; float32 otherwise.</param>
/// <param name="Inputs">The length of a row that is multiplied.</param>
/// <param name="Outputs">The length of a product.</param>
/// <param name="IsOutputByInput">Whether it lies as [outputs, inputs]; as [inputs, outputs] otherwise.</param>
internal readonly unsafe record struct RowMatrix(nint Data, nint Bias, bool IsBFloat16, int Inputs, int Outputs, bool IsOutputByInput)
{
    /// <summary>What its elements take.</summary>
    public long Bytes => (long)Inputs * Outputs * (IsBFloat16 ? sizeof(ushort) : sizeof(float));

    /// <summary>Whether row kernels read tensors of this type and place.</summary>
    public static bool Supports(Tensor tensor) =>
        tensor.device_type == TorchSharp.DeviceType.CPU && tensor.dtype is ScalarType.Float32 or ScalarType.BFloat16 && tensor.is_contiguous();

    /// <summary>A matrix over tensors that <see cref="Supports"/> holds for. The caller keeps them alive.</summary>
    /// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
    /// <param name="bias">[outputs] of the same type, or null.</param>
    /// <param name="isOutputByInput">Which of the two.</param>
    public static RowMatrix Of(Tensor weight, Tensor? bias, bool isOutputByInput)
    {
        if (bias is not null && bias.dtype != weight.dtype)
            throw new ArgumentException($"The bias is {bias.dtype} and the weight {weight.dtype}. Convert the model as a whole.", nameof(bias));
        var (first, second) = (checked((int)weight.size(0)), checked((int)weight.size(1)));
        return new(
            (nint)NativeTensor.Pointer(weight),
            bias is null ? 0 : (nint)NativeTensor.Pointer(bias),
            weight.dtype == ScalarType.BFloat16,
            isOutputByInput ? second : first,
            isOutputByInput ? first : second,
            isOutputByInput);
    }
}
