using MLTransfer.Torch.Metrics;
using Microsoft.ML;

namespace MLTransfer.Images;

/// <summary>A transformer whose model can be measured on pictures.</summary>
internal interface IImageEvaluation
{
    /// <summary>Measures how far the model's pictures are from real ones.</summary>
    /// <param name="data">Rows with real images, and with labels where the model takes them.</param>
    /// <param name="imageColumn">The column of images.</param>
    /// <param name="extractor">Decides what counts as a difference.</param>
    /// <param name="count">How many pictures are made.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type or size, or there are too few images.</exception>
    ImageDistances Evaluate(
        IDataView data, string imageColumn, IImageFeatureExtractor extractor, int count, CancellationToken cancellationToken);

    /// <summary>Finds the training picture that each of the model's pictures is nearest to.</summary>
    /// <param name="data">The training rows.</param>
    /// <param name="imageColumn">The column of images.</param>
    /// <param name="extractor">Decides what counts as a difference; null for the pixels.</param>
    /// <param name="count">How many pictures are made, from the seeds 0, 1, 2 and so on.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type or size, or there are too few images.</exception>
    NearestImages EvaluateMemorization(
        IDataView data, string imageColumn, IImageFeatureExtractor? extractor, int count, CancellationToken cancellationToken);
}
