using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace MLTransfer.Text.Preferences;

/// <summary>A transformer whose model can be measured on pairs of texts.</summary>
internal interface IPreferenceEvaluation
{
    /// <summary>Measures how well the model tells chosen texts from rejected ones, beside a reference model.</summary>
    /// <param name="data">What the transformer is given.</param>
    /// <param name="reference">The reference model.</param>
    /// <param name="options">Columns and loss.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">A column is not named, is missing or of another type, or there is no pair.</exception>
    PreferenceMetrics Evaluate(
        IDataView data, TextGenerationModel reference, PreferenceEvaluationOptions options, CancellationToken cancellationToken);
}
