using System.Globalization;
using MLTransfer.Images.Evaluation;
using MLTransfer.Onnx.Reading;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Measures how far generated pictures are from real ones, whatever made them.</summary>
    /// <param name="data">Rows with a real and a generated picture; which of them stand in one row does not matter.</param>
    /// <param name="realColumnName">The column of real pictures.</param>
    /// <param name="generatedColumnName">The column of generated ones.</param>
    /// <param name="options">What is measured, and by which network.</param>
    /// <param name="progress">Told after every batch; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <remarks>
    /// Frechet and kernel distance, precision and recall, density and coverage are measured in double over the features of all pictures,
    /// whose memory is four bytes for each of their numbers; pictures are not kept. Pictures go to the network as they are: with a
    /// transparency that is left out, and in the sizes that they have.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// An option is not usable, a column is missing or of another type, there are too few pictures, or features are not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">A row's picture or caption is missing; the message names row and column.</exception>
    public ImageMetrics EvaluateImages(
        IDataView data, string realColumnName, string generatedColumnName, ImageEvaluationOptions options,
        IProgress<ImageEvaluationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        EvaluateImages(data, realColumnName, data, generatedColumnName, options, progress, cancellationToken);

    /// <summary>Measures how far the pictures of one set are from those of another.</summary>
    /// <param name="realData">Rows with real pictures.</param>
    /// <param name="realColumnName">Their column.</param>
    /// <param name="generatedData">Rows with generated pictures, and with captions where they are scored.</param>
    /// <param name="generatedColumnName">Their column.</param>
    /// <param name="options">What is measured, and by which network.</param>
    /// <param name="progress">Told after every batch; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <exception cref="ArgumentException">
    /// An option is not usable, a column is missing or of another type, there are too few pictures, or features are not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">A row's picture or caption is missing; the message names row and column.</exception>
    public ImageMetrics EvaluateImages(
        IDataView realData, string realColumnName, IDataView generatedData, string generatedColumnName, ImageEvaluationOptions options,
        IProgress<ImageEvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(realData);
        ArgumentException.ThrowIfNullOrWhiteSpace(realColumnName);
        ArgumentNullException.ThrowIfNull(generatedData);
        ArgumentException.ThrowIfNullOrWhiteSpace(generatedColumnName);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        using var channel = _host.Start("Evaluating pictures");
        var metrics = new ImageEvaluator(options, progress, cancellationToken)
            .Evaluate(realData, realColumnName, generatedData, generatedColumnName);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Frechet distance {metrics.FrechetDistance:G4}, kernel distance {metrics.KernelDistance:G4}, precision "
            + $"{metrics.Precision:0.000}, recall {metrics.Recall:0.000}, density {metrics.Density:0.000}, coverage "
            + $"{metrics.Coverage:0.000}, of {metrics.GeneratedCount} pictures beside {metrics.RealCount} real ones."));
        if (metrics.Captions is { } captions)
            channel.Info(string.Create(CultureInfo.InvariantCulture, $"Mean score of captions {captions.MeanScore:0.00} of 100."));
        return metrics;
    }

    /// <summary>Measures how far the pictures that a model makes are from real ones.</summary>
    /// <param name="model">A transformer that makes pictures, or a chain with one.</param>
    /// <param name="data">Rows with real pictures and with what the model reads: a picture is made for each.</param>
    /// <param name="imageColumnName">The column of real pictures.</param>
    /// <param name="options">What is measured, and by which network.</param>
    /// <param name="progress">Told after every batch; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <exception cref="ArgumentException">
    /// An option is not usable, a column is missing or of another type, there are too few pictures, or features are not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">A row's picture or caption is missing; the message names row and column.</exception>
    public ImageMetrics EvaluateImages(
        ITransformer model, IDataView data, string imageColumnName, ImageEvaluationOptions options,
        IProgress<ImageEvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        var column = TransformerChain.Find<IImageOutput>(model, "nothing that makes pictures").Found.ImageColumn;
        return EvaluateImages(model.Transform(data), imageColumnName, column, options, progress, cancellationToken);
    }

    /// <summary>Tells how well pictures fit their captions, by an image-text model such as CLIP.</summary>
    /// <param name="data">Rows with a picture and its caption.</param>
    /// <param name="imageColumnName">The column of pictures.</param>
    /// <param name="captionColumnName">The column of captions.</param>
    /// <param name="model">The model; stays the caller's.</param>
    /// <param name="batchSize">Pictures at a time.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <exception cref="ArgumentException">
    /// An option is not usable, a column is missing or of another type, there are too few pictures, or features are not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">A row's picture or caption is missing; the message names row and column.</exception>
    public CaptionScores ScoreCaptions(
        IDataView data, string imageColumnName, string captionColumnName, OnnxTextImageModel model, int batchSize = 32,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(imageColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(captionColumnName);
        ArgumentNullException.ThrowIfNull(model);
        OptionCheck.AtLeast(nameof(batchSize), batchSize, 1);
        using var channel = _host.Start("Scoring captions");
        var scores = ImageEvaluator.Score(data, imageColumnName, captionColumnName, model, batchSize, cancellationToken);
        channel.Info(string.Create(CultureInfo.InvariantCulture, $"Mean score {scores.MeanScore:0.00} of 100, of {scores.Rows.Count}."));
        return scores;
    }
}
