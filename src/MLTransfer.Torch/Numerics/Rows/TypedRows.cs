using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>The rows of a contiguous float32 or bfloat16 tensor on the CPU, read and written as float32.</summary>
/// <param name="tensor">[..., width]; the caller keeps it alive.</param>
internal readonly unsafe struct TypedRows(Tensor tensor)
{
    private readonly void* _memory = NativeTensor.Pointer(tensor);
    private readonly bool _isNarrow = tensor.dtype == ScalarType.BFloat16;

    /// <summary>The length of a row.</summary>
    public int Width { get; } = (int)tensor.shape[^1];

    /// <summary>The number of rows.</summary>
    public int Count { get; } = (int)(tensor.numel() / tensor.shape[^1]);

    /// <summary>Whether a tensor can be seen so.</summary>
    public static bool IsPossible(Tensor tensor) =>
        tensor.dtype is ScalarType.Float32 or ScalarType.BFloat16 && tensor.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>A row: where it lies, or widened into a buffer.</summary>
    public ReadOnlySpan<float> Read(int row, Span<float> buffer)
    {
        if (!_isNarrow)
            return new Span<float>((float*)_memory + (long)row * Width, Width);
        BFloat16Bits.Widen(new Span<ushort>((ushort*)_memory + (long)row * Width, Width), buffer);
        return buffer;
    }

    /// <summary>Where a row is computed: where it lies, or in a buffer that <see cref="Finish"/> narrows.</summary>
    public Span<float> Begin(int row, Span<float> buffer) =>
        _isNarrow ? buffer : new Span<float>((float*)_memory + (long)row * Width, Width);

    /// <summary>Takes what was computed.</summary>
    public void Finish(int row, ReadOnlySpan<float> computed)
    {
        if (_isNarrow)
            BFloat16Bits.Narrow(computed, new Span<ushort>((ushort*)_memory + (long)row * Width, Width));
    }
}
