using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Makes batches of rows.</summary>
internal static class RowTensors
{
    /// <summary>[rows, shape].</summary>
    public static Tensor Inputs(ITrainingRows rows, ReadOnlySpan<int> batch, IReadOnlyList<long> shape) => Create(rows.ReadInput, batch, shape);

    /// <summary>[rows, shape].</summary>
    public static Tensor Targets(ITrainingRows rows, ReadOnlySpan<int> batch, IReadOnlyList<long> shape) => Create(rows.ReadTarget, batch, shape);

    /// <summary>[rows, shape] of what is written row by row.</summary>
    public static Tensor Create(Action<int, Span<float>> read, ReadOnlySpan<int> batch, IReadOnlyList<long> shape)
    {
        var width = checked((int)shape.Aggregate(1L, (product, extent) => product * extent));
        // libtorch's own memory, which is aligned: kernels round by the alignment.
        var rows = empty([batch.Length, .. shape], ScalarType.Float32);
        var values = NativeTensor.AsSpan<float>(rows);
        for (var i = 0; i < batch.Length; i++)
            read(batch[i], values.Slice(i * width, width));
        GC.KeepAlive(rows);
        return rows;
    }
}
