using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Elements of tensors as float32.</summary>
internal static unsafe class FloatRows
{
    /// <summary>Copies or widens elements of a tensor that <see cref="RowMatrix.Supports"/> holds for.</summary>
    /// <param name="source">The tensor; the caller keeps it alive.</param>
    /// <param name="start">The first element.</param>
    /// <param name="target">Where they go, as many as it has room for.</param>
    public static void Read(Tensor source, long start, Span<float> target)
    {
        var pointer = NativeTensor.Pointer(source);
        switch (RowMatrix.CheckType(source.dtype))
        {
            case ScalarType.BFloat16:
                BFloat16Bits.Widen(new ReadOnlySpan<ushort>((ushort*)pointer + start, target.Length), target);
                break;
            case ScalarType.Float16:
                Float16Bits.Widen(new ReadOnlySpan<Half>((Half*)pointer + start, target.Length), target);
                break;
            default:
                new ReadOnlySpan<float>((float*)pointer + start, target.Length).CopyTo(target);
                break;
        }
    }
}
