using MLTransfer.Torch.Models;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>Next-token cross-entropy together with the output head, the widest matrix of a language model.</summary>
/// <remarks>
/// Logits of a whole batch, [tokens, vocabulary], would take several times the memory of everything else. They are made for some rows at a time
/// and turned into their own gradient in place, so that neither forward nor backward pass ever holds more than these rows.
/// </remarks>
internal static class LanguageModelLoss
{
    /// <summary>The elements of the logits that are held at once: 64 MiB in float32.</summary>
    private const long ChunkElements = 1 << 24;

    /// <summary>The sum over a batch's predicted tokens of -ln p(token), in nats.</summary>
    public static double Sum(CausalLanguageModel model, TrainingBatch batch)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rows = PredictingRows(model, batch);
        double sum = 0;
        foreach (var (start, count) in Chunks(model, rows))
        {
            using var chunkScope = NewDisposeScope();
            var logits = model.ComputeLogits(rows.narrow(0, start, count)); // [count, vocabulary]
            sum += CrossEntropy.Sum(logits, batch.Targets.narrow(0, start, count));
        }

        return sum;
    }

    /// <summary>Adds the gradient of the loss, times a factor, to the gradients of the model's parameters.</summary>
    /// <returns>The sum over predicted tokens of -ln p(token), times the factor.</returns>
    public static double Backward(CausalLanguageModel model, TrainingBatch batch, double factor)
    {
        using var scope = NewDisposeScope();
        var rows = PredictingRows(model, batch); // [predicted tokens, C], with the graph behind them
        var head = model.OutputHead;
        var type = model.ComputeType ?? head.dtype;
        Tensor rowGradients;
        double sum = 0;
        using (no_grad())
        {
            rowGradients = empty_like(rows);
            var inputs = rows.detach().to(type);
            var weight = head.to(type); // [vocabulary, C]
            if (head.requires_grad && head.grad is null)
                head.grad = zeros_like(head);
            using var headGradient = head.requires_grad ? head.grad : null;
            foreach (var (start, count) in Chunks(model, rows))
            {
                using var chunkScope = NewDisposeScope();
                var input = inputs.narrow(0, start, count);
                var logits = mm(input, weight.t()).to(ScalarType.Float32); // [count, vocabulary]
                sum += CrossEntropy.SumWithGradient(logits, batch.Targets.narrow(0, start, count), factor);
                var gradient = logits.to(type);
                rowGradients.narrow(0, start, count).copy_(mm(gradient, weight));
                if (headGradient is null)
                    continue;
                if (type == headGradient.dtype)
                    headGradient.addmm_(gradient.t(), input, 1, 1);
                else
                    headGradient.add_(mm(gradient.t(), input));
            }
        }

        if (rows.requires_grad)
            autograd.backward(rows, rowGradients);
        return sum * factor;
    }

    /// <summary>The hidden states that a token is predicted from: [predicted tokens, C].</summary>
    private static Tensor PredictingRows(CausalLanguageModel model, TrainingBatch batch)
    {
        var hidden = model.ComputeHiddenStates(batch.Input); // [B, T, C]
        var width = hidden.shape[2];
        return batch.Positions is null
            ? hidden.narrow(1, 0, hidden.shape[1] - 1).reshape(-1, width)
            : hidden.view(-1, width).index_select(0, batch.Positions);
    }

    private static IEnumerable<(long Start, long Count)> Chunks(CausalLanguageModel model, Tensor rows)
    {
        var length = Math.Max(64, ChunkElements / model.VocabularySize / 64 * 64);
        for (long start = 0; start < rows.shape[0]; start += length)
            yield return (start, Math.Min(length, rows.shape[0] - start));
    }
}
