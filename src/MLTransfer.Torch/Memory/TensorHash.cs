using System.Security.Cryptography;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Memory;

/// <summary>Hashes of what tensors hold.</summary>
internal static class TensorHash
{
    /// <summary>The elements that are copied at once, where a tensor is not on the CPU.</summary>
    private const long ChunkLength = 1 << 20;

    /// <summary>Adds the bytes of all elements, row-major.</summary>
    public static unsafe void AppendValues(this IncrementalHash hash, Tensor tensor)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var flat = tensor.detach().contiguous().view(-1); // [elements]
        for (long start = 0, count = flat.numel(); start < count; start += ChunkLength)
        {
            using var chunkScope = NewDisposeScope();
            var chunk = flat.narrow(0, start, Math.Min(ChunkLength, count - start)).cpu();
            var bytes = (int)chunk.numel() * NativeTensor.ElementSize(chunk.dtype);
            hash.AppendData(new ReadOnlySpan<byte>(NativeTensor.Pointer(chunk), bytes));
            GC.KeepAlive(chunk);
        }
    }
}
