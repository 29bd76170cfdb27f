using System.Runtime.InteropServices;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Bytes of a checkpoint in native memory: a place in a mapped file, or a block that was read or unpacked.</summary>
/// <param name="Owner">Holds the memory; its value is the address of its first byte.</param>
/// <param name="Offset">Where the data starts in the owner's memory.</param>
internal readonly record struct StoredData(SafeHandle Owner, long Offset)
{
    /// <summary>
    /// A contiguous tensor over the data, or over a copy of it where the data is not aligned for its type. The caller has checked that the
    /// tensor lies within the owner's memory.
    /// </summary>
    /// <exception cref="InvalidDataException">A truth value is neither 0 nor 1.</exception>
    /// <exception cref="ObjectDisposedException">The owner is disposed.</exception>
    public unsafe Tensor ToTensor(ReadOnlySpan<long> shape, ScalarType type, string location, string name)
    {
        int elementSize = NativeTensor.ElementSize(type);
        TensorShape.TryGetByteCount(shape, elementSize, out long bytes);
        bool referenced = false;
        try
        {
            Owner.DangerousAddRef(ref referenced);
            byte* data = (byte*)Owner.DangerousGetHandle() + Offset;
            if (type == ScalarType.Bool) CheckTruthValues(data, bytes, location, name);
            if ((nuint)data % (nuint)elementSize == 0) return NativeTensor.FromPointer((IntPtr)data, shape, type, Owner);

            using var copy = new NativeMemoryHandle(bytes);
            Buffer.MemoryCopy(data, copy.Pointer, bytes, bytes);
            return NativeTensor.FromPointer((IntPtr)copy.Pointer, shape, type, copy);
        }
        finally
        {
            if (referenced) Owner.DangerousRelease();
        }
    }

    /// <summary>C++ may do anything with a bool of another value, reading outside of memory included.</summary>
    private static unsafe void CheckTruthValues(byte* data, long count, string location, string name)
    {
        const int chunk = 1 << 30;
        for (long start = 0; start < count; start += chunk)
        {
            if (new ReadOnlySpan<byte>(data + start, (int)Math.Min(chunk, count - start)).ContainsAnyExceptInRange((byte)0, (byte)1))
                throw new InvalidDataException($"'{location}': the boolean tensor '{name}' holds a value that is neither 0 nor 1.");
        }
    }
}
