using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>A matrix and perhaps a bias in memory, as row products read them.</summary>
/// <param name="Data">The first element, aligned or not.</param>
/// <param name="Bias">[outputs] of the same type, or null.</param>
/// <param name="ElementType">Float32, BFloat16 or Float16.</param>
/// <param name="Inputs">The length of a row that is multiplied.</param>
/// <param name="Outputs">The length of a product.</param>
/// <param name="IsOutputByInput">Whether it lies as [outputs, inputs]; as [inputs, outputs] otherwise.</param>
internal readonly unsafe record struct RowMatrix(
    nint Data, nint Bias, ScalarType ElementType, int Inputs, int Outputs, bool IsOutputByInput)
{
    /// <summary>What its elements take.</summary>
    public long Bytes => (long)Inputs * Outputs * NativeTensor.ElementSize(ElementType);

    /// <summary>Whether row kernels read tensors of this type and place.</summary>
    public static bool Supports(Tensor tensor) =>
        tensor.device_type == TorchSharp.DeviceType.CPU && IsSupported(tensor.dtype) && tensor.is_contiguous();

    /// <summary>A matrix over tensors that <see cref="Supports"/> holds for. The caller keeps them alive.</summary>
    /// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
    /// <param name="bias">[outputs] of the same type, or null.</param>
    /// <param name="isOutputByInput">Which of the two.</param>
    public static RowMatrix Of(Tensor weight, Tensor? bias, bool isOutputByInput)
    {
        if (bias is not null && bias.dtype != weight.dtype)
            throw new ArgumentException(
                $"The bias is {bias.dtype} and the weight {weight.dtype}. Convert the model as a whole.", nameof(bias));
        var (first, second) = (checked((int)weight.size(0)), checked((int)weight.size(1)));
        return new(
            (nint)NativeTensor.Pointer(weight),
            bias is null ? 0 : (nint)NativeTensor.Pointer(bias),
            CheckType(weight.dtype),
            isOutputByInput ? second : first,
            isOutputByInput ? first : second,
            isOutputByInput);
    }

    /// <summary>The type, where row kernels read it.</summary>
    /// <exception cref="NotSupportedException">They do not.</exception>
    public static ScalarType CheckType(ScalarType type) => IsSupported(type)
        ? type
        : throw new NotSupportedException($"Row kernels read Float32, BFloat16 and Float16, not {type}. Convert the model.");

    private static bool IsSupported(ScalarType type) => type is ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16;
}
