using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Text;

/// <summary>Measures how well a model predicts texts, over the rows that a run would measure its validation loss on.</summary>
internal static class TextEvaluator
{
    /// <exception cref="ArgumentException">No text has two tokens, or a row is longer than the model's context.</exception>
    public static TextGenerationMetrics Evaluate(
        TextGenerationModel model, TrainingTexts texts, TextRowForm form, CancellationToken cancellationToken)
    {
        var rows = form.RowsOf(texts, model.Tokenizer, model.Network);
        var noise = form.NoiseOf(texts, model.Tokenizer, model.Network);
        return Evaluate(model, noise?.ForEvaluation(rows) ?? rows, texts.ByteCount, cancellationToken);
    }

    /// <inheritdoc cref="Evaluate(TextGenerationModel, TrainingTexts, TextRowForm, CancellationToken)"/>
    public static TextGenerationMetrics Evaluate(
        TextGenerationModel model, IReadOnlyList<TrainingExample> rows, long byteCount, CancellationToken cancellationToken)
    {
        var result = Evaluator.Evaluate(model.Network, rows, cancellationToken: cancellationToken);
        return new TextGenerationMetrics(result.Loss, result.PredictedTokens, byteCount);
    }
}
