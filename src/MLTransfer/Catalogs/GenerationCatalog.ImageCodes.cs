using System.Globalization;
using MLTransfer.Torch.Training.Images;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Measures how well a network that writes codes of pictures predicts those of real ones from their captions.</summary>
    /// <param name="model">An image generator that is a DALL-E or a DALL-E mini, or a chain of transformers with one.</param>
    /// <param name="data">
    /// Rows with images and, where the generator reads them, captions; they go through the transformers before the generator first.
    /// </param>
    /// <param name="imageColumnName">The column of images, of the size that the generator makes.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <returns>The loss that training makes less, the mean over rows, and its parts.</returns>
    /// <exception cref="ArgumentException">
    /// The model holds no such generator, a column is missing or has another type or size, or there are no rows.
    /// </exception>
    /// <exception cref="InvalidOperationException">A row's image is missing or of another size; the message names row and
    /// column.</exception>
    public TextToImageEvaluationResult EvaluateImageCodes(
        ITransformer model, IDataView data, string imageColumnName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(imageColumnName);
        var (before, generator) = TransformerChain.Find<TextToImageTransformer>(model, "no network that writes codes of pictures");
        using var channel = _host.Start("Evaluating codes of pictures");
        var result = generator.EvaluateCodes(Through(before, data), imageColumnName, cancellationToken);
        channel.Info(string.Create(CultureInfo.InvariantCulture, $"Loss of codes {result.Loss:0.0000} nats."));
        return result;
    }
}
