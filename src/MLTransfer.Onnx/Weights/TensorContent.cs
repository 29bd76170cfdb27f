using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Weights;

/// <summary>The elements of a tensor as an initializer holds them.</summary>
internal static class TensorContent
{
    private const long ChunkElements = 1 << 22;

    /// <summary>A constant whose tensor is made when it is written, and once before for its shape.</summary>
    /// <param name="name">The name in the file.</param>
    /// <param name="type">The element type.</param>
    /// <param name="make">Gives the tensor: one that stays, or a new one that is disposed here.</param>
    public static Initializer Initializer(string name, TensorProto.Types.DataType type, Func<Tensor> make)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return new Initializer(name, type, make().shape, stream =>
        {
            using var noGradients = no_grad();
            using var writing = NewDisposeScope();
            Write(stream, make(), type);
        });
    }

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
