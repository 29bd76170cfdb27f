using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Passes over the memory of tensors, which cost less than libtorch's kernels one after the other.</summary>
internal static class FlatTensor
{
    public const int ChunkLength = 1 << 16;

    /// <summary>
    /// Goes through a length in chunks that stay in the processor's cache, on all of libtorch's threads: start and length of each.
    /// </summary>
    public static void ForEachChunk(long length, Action<long, int> action)
    {
        var chunks = (int)((length + ChunkLength - 1) / ChunkLength);
        if (chunks == 1)
        {
            action(0, (int)length);
            return;
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() };
        Parallel.For(0, chunks, options, chunk =>
        {
            var start = (long)chunk * ChunkLength;
            action(start, (int)Math.Min(ChunkLength, length - start));
        });
    }

    /// <summary>Whether a tensor is contiguous on the CPU and float32 or of one other type.</summary>
    public static bool IsPlain(Tensor tensor, ScalarType? orType = null) =>
        (tensor.dtype == ScalarType.Float32 || tensor.dtype == orType) && tensor.device_type == DeviceType.CPU && tensor.is_contiguous();

    /// <summary>The numbers of a contiguous float32 or bfloat16 tensor on the CPU as float32.</summary>
    public readonly unsafe struct Singles(Tensor tensor)
    {
        private readonly void* _values = NativeTensor.Pointer(tensor);

        public bool IsBFloat16 { get; } = tensor.dtype == ScalarType.BFloat16;

        /// <summary>
        /// The tensor's own memory or, for bfloat16, <paramref name="memory"/> with the widened numbers, which are the same.
        /// </summary>
        public float* Read(long start, int count, float* memory)
        {
            if (!IsBFloat16)
                return (float*)_values + start;
            BFloat16Bits.Widen(new ReadOnlySpan<ushort>((ushort*)_values + start, count), new Span<float>(memory, count));
            return memory;
        }
    }
}
