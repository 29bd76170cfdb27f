using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;
using Microsoft.ML;

namespace MLTransfer.Text.Preferences;

/// <summary>Measures how well a model tells chosen texts from rejected ones, over the pairs that a run would measure.</summary>
internal static class TextPreferenceEvaluator
{
    /// <exception cref="ArgumentException">A column is missing or of another type, or there is no pair.</exception>
    public static PreferenceMetrics Evaluate(
        TextGenerationModel model, TextGenerationModel reference, IDataView data, TextGeneratorColumns columns, TextRowForm form,
        PreferenceEvaluationOptions options, CancellationToken cancellationToken)
    {
        var encoder = new PairEncoder(model.Tokenizer, model.Network, columns.Chat, form, "the model");
        var pairs = TrainingPairs.Read(data, columns, encoder, cancellationToken).All;
        if (pairs.Count == 0)
        {
            throw new ArgumentException(
                $"There is nothing to evaluate: the columns '{columns.Input}', '{columns.Completion}' and "
                + $"'{columns.Rejected ?? columns.Score}' make no pair of texts.", nameof(data));
        }

        return PreferenceEvaluator.Evaluate(
            model.Network, reference.Network, options.Objective, pairs, options.BatchSize, cancellationToken);
    }
}
