using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Ranks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Images;

/// <summary>Measures the loss of a network that writes codes of pictures.</summary>
public static class TextToImageEvaluator
{
    /// <summary>The loss on pictures with their captions.</summary>
    /// <param name="model">The model; left in evaluation mode.</param>
    /// <param name="examples">The pictures.</param>
    /// <param name="tokenizer">The tokenizer of captions; null where there are none.</param>
    /// <param name="batchSize">Rows of one forward pass. The result does not depend on it.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    /// <exception cref="ArgumentException">There are no pictures, or they do not fit the model.</exception>
    public static TextToImageEvaluationResult Evaluate(
        TextToImageModel model, IReadOnlyList<TextToImageExample> examples, TextTokenizer? tokenizer, int batchSize = 8,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        using var hold = model.Hold();
        var rows = TextToImageRows.Read(model, tokenizer, examples, nameof(examples));
        if (rows.Count == 0)
            throw new ArgumentException("There are no pictures to evaluate with.", nameof(examples));
        return Evaluate(model, rows, batchSize, RunRanks.Alone, cancellationToken);
    }

    internal static TextToImageEvaluationResult Evaluate(
        TextToImageModel model, IReadOnlyList<TextToImageRow> rows, int batchSize, RunRanks ranks,
        CancellationToken cancellationToken)
    {
        model.eval();
        using var gradients = no_grad();
        var (loss, parts) = (0.0, new Dictionary<string, double>());
        foreach (var part in ranks.Share(rows).Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            loss += TextToImageBatch.Create(model, part).SumLosses(model, parts).item<float>();
        }

        Span<double> sum = [loss];
        ranks.Sum(sum);
        ranks.Sum(parts);
        return new(sum[0] / rows.Count, parts.ToDictionary(sum => sum.Key, sum => sum.Value / rows.Count));
    }
}
