using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Text;

/// <summary>Measures how well a model predicts texts.</summary>
internal static class TextEvaluator
{
    /// <exception cref="ArgumentException">No text has two tokens.</exception>
    public static TextGenerationMetrics Evaluate(TextGenerationModel model, TrainingTexts texts, CancellationToken cancellationToken)
    {
        var rows = texts.ToExamples(RowPacking.None, model.Network.ContextLength, endOfSequence: null);
        // Rows of like length together: less padding. The sums do not depend on the order but for rounding.
        var sorted = rows.OrderByDescending(row => row.InputIds.Length).ToList();
        var result = Evaluator.Evaluate(model.Network, sorted, cancellationToken: cancellationToken);
        return new TextGenerationMetrics(result.Loss, result.PredictedTokens, texts.ByteCount);
    }
}
