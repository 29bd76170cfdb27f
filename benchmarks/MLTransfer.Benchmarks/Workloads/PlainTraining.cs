using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>
/// A training loop as TorchSharp's examples write it, with TorchSharp's AdamW, in float32. It clips no gradients, which the library does.
/// </summary>
internal sealed class PlainTraining() : TrainingVariant(
    "plain-float32", "plain TorchSharp, float32", ScalarType.Float32, trainsAllWeights: true)
{
    private const long Ignored = -100;

    public override void Train(BenchmarkedModel model, TrainingShape shape, int steps, Action<double> stepDone)
    {
        using var network = PlainGpt2.Load(model);
        using var optimizer = optim.AdamW(network.parameters(), lr: 5e-5, weight_decay: 0);
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
