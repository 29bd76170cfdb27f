using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>Makes a batch of rows.</summary>
internal static class RowTensor
{
    /// <summary>[rows, shape] of what is written row by row.</summary>
    public static Tensor Create(Action<int, Span<float>> read, ReadOnlySpan<int> rows, IReadOnlyList<long> shape)
    {
        var width = checked((int)shape.Aggregate(1L, (product, extent) => product * extent));
        // libtorch's own memory, which is aligned: kernels round by the alignment.
        var tensor = empty([rows.Length, .. shape], ScalarType.Float32);
        var values = NativeTensor.AsSpan<float>(tensor);
        for (var i = 0; i < rows.Length; i++)
            read(rows[i], values.Slice(i * width, width));
        GC.KeepAlive(tensor);
        return tensor;
    }
}
