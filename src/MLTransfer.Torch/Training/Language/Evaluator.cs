using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Ranks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Measures the loss of a model on examples.</summary>
public static class Evaluator
{
    /// <summary>The cross-entropy over all predicted tokens.</summary>
    /// <param name="model">The model; left in evaluation mode.</param>
    /// <param name="examples">The rows.</param>
    /// <param name="batchSize">Rows of one forward pass. The result does not depend on it.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    /// <exception cref="ArgumentException">No example has a token to predict, or one does not fit the model.</exception>
    public static EvaluationResult Evaluate(
        TransformerNetwork model, IReadOnlyList<TrainingExample> examples, int batchSize = 8,
        CancellationToken cancellationToken = default) =>
        Evaluate(model, examples, batchSize, RunRanks.Alone, cancellationToken);

    /// <summary>The same, divided among ranks.</summary>
    internal static EvaluationResult Evaluate(
        TransformerNetwork model, IReadOnlyList<TrainingExample> examples, int batchSize, RunRanks ranks,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        using var hold = model.Hold();
        var counted = TrainingRows.Usable(examples, model, nameof(examples));
        if (counted.Count == 0)
            throw new ArgumentException(
                "There is no token to predict: the evaluation rows are empty or a single token long.", nameof(examples));

        model.eval();
        using var gradients = no_grad();
        double sum = 0;
        long tokens = 0;
        foreach (var rows in ranks.Share(counted).Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = TrainingBatch.Create(rows, model.Device);
            sum += LanguageModelLoss.Sum(model, batch);
            tokens += rows.Sum(e => e.PredictedTokens);
        }

        Span<double> sums = [sum, tokens];
        ranks.Sum(sums);
        return new EvaluationResult(sums[0] / sums[1], (long)sums[1]);
    }
}
