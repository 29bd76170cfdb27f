using System.Globalization;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>Fine-tunes a pretrained StyleGAN2 on a column of images (arXiv 1912.04958, with the augmentation of arXiv 2006.06676).</summary>
/// <remarks>
/// Training images are kept in memory, as bytes. The same data, options and seed give the same weights to the bit on the same machine with the same thread count,
/// also where training is interrupted and resumed.
/// </remarks>
public sealed class ImageGeneratorEstimator : IEstimator<ImageGeneratorTransformer>
{
    private readonly IHost _host;
    private readonly ImageGeneratorOptions _options;
    private readonly ImageGeneratorColumns _columns;
    private readonly string _trainingColumn;

    internal ImageGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string trainingColumnName, ImageGeneratorOptions options)
    {
        options.Check();
        _columns = new ImageGeneratorColumns(outputColumnName, inputColumnName, options.LabelColumnName);
        _columns.CheckInput();
        (_options, _trainingColumn) = (options, trainingColumnName);
        _host = environment.Register(nameof(ImageGeneratorEstimator));
    }

    /// <summary>The schema after the transformer that <see cref="Fit"/> makes.</summary>
    /// <exception cref="ArgumentException">A column is missing or has another type; sizes are checked by <see cref="Fit"/>.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return _columns.GetOutputSchema(inputSchema, _trainingColumn);
    }

    /// <summary>Trains the generator.</summary>
    /// <param name="input">
    /// Rows with the column of images, and of labels where the model takes them. The input column may be missing, but not inside of a chain, which
    /// transforms the data that it was fitted on.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A column is missing or has another type or size, an option does not fit the model, or there are no rows.
    /// </exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read, or a file cannot be written.</exception>
    /// <exception cref="InvalidDataException">The pretrained model is damaged, or the checkpoint to resume from does not fit.</exception>
    /// <exception cref="InvalidOperationException">A row's image or label is missing or of another size; the message names row and column.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">A loss became NaN or infinite.</exception>
    public ImageGeneratorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(SchemaShape.Create(input.Schema));
        using var channel = _host.Start("Fine-tuning an image generator");
        var seed = _options.Seed ?? Seeds.Of(_host);
        var model = StyleGan2Model.Load(PretrainedModels.ResolveImageFolder(_options.PretrainedModel));
        try
        {
            _options.CheckFor(model.Generator);
            if (_columns.Input is null || input.Schema.GetColumnOrNull(_columns.Input) is not null)
                _columns.FindInputs(input.Schema, model.Generator);
            if (_options.FeatureExtractor is { } extractor)
                GeneratorEvaluator.Check(model.Generator, extractor);
            using var images = TrainingImageColumn.Read(input, _trainingColumn, _columns, model.Generator, _options.CancellationToken);
            var trainer = new StyleGan2Trainer(model, _options.ToTrainingOptions(seed), images, _options.FeatureExtractor);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuning '{_options.PretrainedModel}' on {images.Count} images of {images.Resolution}x{images.Resolution} pixels. "
                + $"Features are computed in {PrecisionText.Of(trainer.Precision, _options.Precision)}."));
            var result = trainer.Train(new ImageTrainingLog(channel, _options.Progress), _options.CancellationToken);
            channel.Info(string.Create(CultureInfo.InvariantCulture, $"Showed {result.Images} images in {result.Elapsed:hh\\:mm\\:ss}."));
            return new ImageGeneratorTransformer(model, _columns, _options.Truncation, _options.Noise, _options.GenerationBatchSize, seed, result);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
