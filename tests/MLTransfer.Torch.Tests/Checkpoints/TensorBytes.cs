using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>Compares tensors to the last bit, so that NaNs and negative zeros count.</summary>
internal static class TensorBytes
{
    /// <summary>The elements in row-major order.</summary>
    public static unsafe byte[] Of(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        Tensor contiguous = tensor.detach().contiguous();
        int length = checked((int)contiguous.numel() * NativeTensor.ElementSize(contiguous.dtype));
        byte[] bytes = new ReadOnlySpan<byte>(NativeTensor.Pointer(contiguous), length).ToArray();
        GC.KeepAlive(contiguous);
        return bytes;
    }

    /// <summary>A tensor with these bytes as its elements.</summary>
    public static unsafe Tensor From(ReadOnlySpan<byte> bytes, ScalarType type, params long[] shape)
    {
        Tensor result = empty(shape, dtype: type);
        bytes.CopyTo(new Span<byte>(NativeTensor.Pointer(result), bytes.Length));
        return result;
    }

    public static void AssertEqual(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(Of(expected), Of(actual));
    }

    /// <summary>Reads every tensor and compares it, and what the checkpoint says of it, with the one expected.</summary>
    public static void AssertHolds(IReadOnlyDictionary<string, Tensor> expected, Checkpoint checkpoint)
    {
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), checkpoint.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in expected)
        {
            using Tensor actual = checkpoint.Read(name);
            AssertEqual(tensor, actual);
            Assert.Equal(tensor.dtype, checkpoint.Tensors[name].DataType);
            Assert.Equal(tensor.shape, checkpoint.Tensors[name].Shape);
        }
    }

    public static Dictionary<string, Tensor> ReadAll(Checkpoint checkpoint) =>
        checkpoint.Tensors.Keys.ToDictionary(name => name, checkpoint.Read);
}
