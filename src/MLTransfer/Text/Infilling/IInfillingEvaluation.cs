using Microsoft.ML;

namespace MLTransfer.Text.Infilling;

/// <summary>A transformer whose model can be measured by how well it fills masks.</summary>
internal interface IInfillingEvaluation
{
    /// <summary>Measures how well the model predicts hidden tokens.</summary>
    /// <param name="data">What the transformer is given.</param>
    /// <param name="textColumn">The column of texts without masks; null for the one that the model was trained on.</param>
    /// <param name="options">What is measured.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">
    /// An option is not usable, a column is missing or not text, or no text has a token.
    /// </exception>
    TextInfillingMetrics Evaluate(
        IDataView data, string? textColumn, InfillingEvaluationOptions options, CancellationToken cancellationToken);
}
