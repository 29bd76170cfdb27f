using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Described;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Rows whose inputs a frozen network has been through already: what it gives does not change from epoch to epoch.</summary>
internal sealed class FeatureRows : ITrainingRows
{
    private readonly ITrainingRows _rows;
    private readonly float[][] _features;

    public FeatureRows(TransferNetwork network, ITrainingRows rows, int batchSize, CancellationToken cancellationToken)
    {
        _rows = rows;
        _features = new float[rows.Count][];
        using var gradients = no_grad();
        for (var start = 0; start < rows.Count; start += batchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            int[] batch = [.. Enumerable.Range(start, Math.Min(batchSize, rows.Count - start))];
            var features = network.Features(RowTensors.Inputs(rows, batch, network.InputShape)).contiguous();
            var values = NativeTensor.AsSpan<float>(features);
            var width = values.Length / batch.Length;
            for (var i = 0; i < batch.Length; i++)
                _features[start + i] = values.Slice(i * width, width).ToArray();
            GC.KeepAlive(features);
        }
    }

    public int Count => _rows.Count;

    public void ReadInput(int row, Span<float> values) => _features[row].CopyTo(values);

    public void ReadTarget(int row, Span<float> values) => _rows.ReadTarget(row, values);
}
