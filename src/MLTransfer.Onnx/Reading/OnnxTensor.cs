using Google.Protobuf;
using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>Tensors of ONNX files as TorchSharp tensors.</summary>
internal static class OnnxTensor
{
    /// <summary>Reads a tensor; the caller disposes it.</summary>
    /// <exception cref="NotSupportedException">The element type cannot be read.</exception>
    /// <exception cref="InvalidDataException">The data does not fit the shape.</exception>
    public static Tensor Read(TensorProto proto, string place)
    {
        var type = (TensorProto.Types.DataType)proto.DataType switch
        {
            TensorProto.Types.DataType.Float => ScalarType.Float32,
            TensorProto.Types.DataType.Double => ScalarType.Float64,
            TensorProto.Types.DataType.Int32 => ScalarType.Int32,
            TensorProto.Types.DataType.Int64 => ScalarType.Int64,
            TensorProto.Types.DataType.Bool => ScalarType.Bool,
            var other => throw new NotSupportedException(
                $"{place} has elements of type {other}; float, double, int32, int64 and bool can be imported. "
                    + "Export the network in float32."),
        };
        long[] shape = [.. proto.Dims];
        if (shape.Length > TensorShape.MaximumRank || !TensorShape.TryGetByteCount(shape, NativeTensor.ElementSize(type), out var bytes))
            throw new InvalidDataException($"{place} has the shape {TensorShape.Describe(shape)}, which is not valid.");
        var data = Bytes(proto, type);
        if (data.Length != bytes)
            throw new InvalidDataException(
                $"{place} has {data.Length} bytes of data; its shape {TensorShape.Describe(shape)} takes {bytes}.");
        var tensor = empty(shape, type).DetachFromDisposeScope();
        if (bytes > 0)
            Copy(data, tensor, place);
        return tensor;
    }

    /// <summary>Replaces the data of a tensor of the file.</summary>
    public static void Replace(TensorProto proto, Tensor tensor)
    {
        proto.FloatData.Clear();
        proto.RawData = Raw(tensor);
    }

    private static ByteString Raw(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var values = tensor.detach().to(ScalarType.Float32).cpu().contiguous();
        var bytes = ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes(NativeTensor.AsSpan<float>(values)));
        GC.KeepAlive(values);
        return bytes;
    }

    private static ReadOnlySpan<byte> Bytes(TensorProto proto, ScalarType type)
    {
        if (proto.HasRawData)
            return proto.RawData.Span;
        return type switch
        {
            ScalarType.Float32 => AsBytes<float>([.. proto.FloatData]),
            ScalarType.Float64 => AsBytes<double>([.. proto.DoubleData]),
            ScalarType.Int32 => AsBytes<int>([.. proto.Int32Data]),
            ScalarType.Int64 => AsBytes<long>([.. proto.Int64Data]),
            _ => proto.Int32Data.Select(value => value == 0 ? (byte)0 : (byte)1).ToArray(),
        };
    }

    private static Span<byte> AsBytes<T>(T[] values)
        where T : struct => System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan());

    private static unsafe void Copy(ReadOnlySpan<byte> data, Tensor tensor, string place)
    {
        if (tensor.dtype == ScalarType.Bool && data.ContainsAnyExceptInRange((byte)0, (byte)1))
            throw new InvalidDataException($"{place} holds a truth value that is neither 0 nor 1.");
        data.CopyTo(new Span<byte>(NativeTensor.Pointer(tensor), data.Length));
        GC.KeepAlive(tensor);
    }
}
