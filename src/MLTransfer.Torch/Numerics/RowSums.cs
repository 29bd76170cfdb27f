using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics;

/// <summary>Sums of rows that go to the same place.</summary>
internal static class RowSums
{
    /// <summary>
    /// Adds each row to the row of the target that its index names, in the same order every time. On a graphics processor
    /// <c>index_add_</c> adds in whatever order its threads come, and two runs end with other bits.
    /// </summary>
    /// <param name="target">[rows, width].</param>
    /// <param name="index">[n] int64.</param>
    /// <param name="values">[n, width].</param>
    /// <returns>The target.</returns>
    public static Tensor Add(Tensor target, Tensor index, Tensor values) =>
        target.device_type == TorchSharp.DeviceType.CPU
            ? target.index_add_(0, index, values, 1) : target.index_put_(values, [index], true);
}
