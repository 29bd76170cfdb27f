using MLTransfer.Torch.Networks.Described;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Makes batches of training rows.</summary>
internal static class RowTensors
{
    /// <summary>[rows, shape].</summary>
    public static Tensor Inputs(ITrainingRows rows, ReadOnlySpan<int> batch, IReadOnlyList<long> shape) =>
        RowTensor.Create(rows.ReadInput, batch, shape);

    /// <summary>[rows, shape].</summary>
    public static Tensor Targets(ITrainingRows rows, ReadOnlySpan<int> batch, IReadOnlyList<long> shape) =>
        RowTensor.Create(rows.ReadTarget, batch, shape);
}
