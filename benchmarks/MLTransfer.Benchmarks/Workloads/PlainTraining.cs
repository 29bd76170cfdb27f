using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>
/// A training loop as TorchSharp's examples write it, with TorchSharp's AdamW, in float32. It clips no gradients, which the library does.
/// </summary>
internal sealed class PlainTraining(string id, string name, int? adapterRank = null) : TrainingVariant(
    id, name, ScalarType.Float32, adapterRank is null ? TrainedOperations.All : TrainedOperations.Adapters)
{
    private const long Ignored = -100;

    public override void Train(BenchmarkedModel model, TrainingShape shape, int steps, Action<double> stepDone)
    {
        using var network = PlainNetwork.Load(model);
        if (adapterRank is { } rank)
            network.Adapt(rank);
        using var optimizer = optim.AdamW(network.parameters().Where(parameter => parameter.requires_grad), lr: 5e-5, weight_decay: 0);
        var rows = model.RandomTokens(shape.BatchSize, shape.Length);
        using var ids = tensor(rows.SelectMany(row => row).Select(id => (long)id).ToArray(), [shape.BatchSize, shape.Length]);
        using var targets = tensor(rows.SelectMany(row => row.Skip(1).Select(id => (long)id).Append(Ignored)).ToArray());

        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var logits = network.call(ids);                                                        // [batch, length, vocabulary]
            var loss = F.cross_entropy(logits.view(-1, logits.shape[2]), targets, ignore_index: Ignored);
            loss.backward();
            optimizer.step();
            stepDone(loss.item<float>());
        }
    }
}
