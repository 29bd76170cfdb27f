using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Weights;

/// <summary>The elements of a tensor as an initializer holds them.</summary>
internal static class TensorContent
{
    private const long ChunkElements = 1 << 22;

    /// <summary>Writes a tensor of any floating-point type, converted piece by piece.</summary>
    public static void Write(Stream stream, Tensor tensor, TensorProto.Types.DataType type)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var flat = tensor.detach().contiguous().view(-1);
        for (long start = 0; start < flat.numel(); start += ChunkElements)
        {
            using var chunk = NewDisposeScope();
            var part = flat.narrow(0, start, Math.Min(ChunkElements, flat.numel() - start));
            if (type == TensorProto.Types.DataType.Float16)
                WriteBytes(stream, part.to(ScalarType.Float16, CPU));
            else
                WriteBytes(stream, part.to(ScalarType.Float32, CPU));
        }
    }

    private static unsafe void WriteBytes(Stream stream, Tensor part)
    {
        var bytes = checked((int)part.numel() * NativeTensor.ElementSize(part.dtype));
        stream.Write(new ReadOnlySpan<byte>(NativeTensor.Pointer(part), bytes));
        GC.KeepAlive(part);
    }
}
