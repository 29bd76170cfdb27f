using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Ranks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Computes outputs, loss and metric of a network on rows.</summary>
internal sealed class RowLosses(TransferNetwork network, LossFunction loss)
{
    public LossFunction Function => loss;

    /// <summary>The output, without its final activation where the loss takes it so, and the target, both [batch, output shape].</summary>
    public (Tensor Output, Tensor Target) Compute(ITrainingRows rows, int[] batch)
    {
        var features = rows is FeatureRows
            ? RowTensors.Inputs(rows, batch, network.NewLayers.InputShape)
            : network.Features(RowTensors.Inputs(rows, batch, network.InputShape));
        return (network.NewLayers.Compute(features, loss.TakesLogits), RowTensors.Targets(rows, batch, network.OutputShape));
    }

    /// <summary>What the network gives for rows, final activation included, and the target, both [batch, output shape].</summary>
    public (Tensor Output, Tensor Target) Outputs(ITrainingRows rows, int[] batch)
    {
        network.SetTraining(false);
        using var gradients = no_grad();
        var (output, target) = Compute(rows, batch);
        return (loss.Finish(output), target);
    }

    /// <summary>The means over rows, divided among ranks, without training. The network is in inference state afterwards.</summary>
    public (double Loss, double Metric) Evaluate(ITrainingRows rows, int batchSize, RunRanks ranks, CancellationToken cancellationToken)
    {
        network.SetTraining(false);
        using var gradients = no_grad();
        Span<double> sums = [0, 0];
        foreach (var batch in ranks.Share([.. Enumerable.Range(0, rows.Count)]).Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (output, target) = Compute(rows, batch);
            sums[0] += loss.Loss(output, target).item<float>() * batch.Length;
            sums[1] += loss.Metric(output, target) * batch.Length;
        }

        ranks.Sum(sums);
        return (sums[0] / rows.Count, sums[1] / rows.Count);
    }
}
