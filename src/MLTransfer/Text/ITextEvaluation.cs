using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>A transformer whose model can be measured on texts.</summary>
internal interface ITextEvaluation
{
    /// <summary>Measures how well the model predicts texts.</summary>
    /// <param name="data">What the transformer is given.</param>
    /// <param name="textColumn">The column of whole texts; null for the columns that the model was trained on.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">A column is missing or not text, or no text has two tokens.</exception>
    TextGenerationMetrics Evaluate(IDataView data, string? textColumn, CancellationToken cancellationToken);

    /// <summary>Compares what the model writes with the rows that it was trained on.</summary>
    /// <param name="data">The training rows.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">An option is not usable, a column is missing or not text, or no row has a text.</exception>
    TextMemorization EvaluateMemorization(IDataView data, TextMemorizationOptions options, CancellationToken cancellationToken);
}
