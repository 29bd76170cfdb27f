using MLTransfer.Images;
using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace MLTransfer;

/// <summary>
/// Fine-tunes a pretrained StyleGAN2 on a column of images (arXiv 1912.04958, with the augmentation of arXiv 2006.06676).
/// </summary>
/// <remarks>
/// Training images are kept in memory, as bytes. The same data, options and seed give the same weights to the bit on the same machine with
/// the same thread count, also where training is interrupted and resumed. The data needs the column of images, and of labels where the
/// model takes them; the input column may be missing, but not inside of a chain, which transforms the data that it was fitted on.
/// </remarks>
public sealed class ImageGeneratorEstimator : ColumnMappingEstimator<ImageGeneratorTransformer>
{
    private readonly ImageGeneratorOptions _options;
    private readonly ImageGeneratorColumns _columns;
    private readonly string _trainingColumn;

    internal ImageGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string trainingColumnName,
        ImageGeneratorOptions options)
        : base(environment, "Fine-tuning an image generator")
    {
        options.Check();
        _columns = new ImageGeneratorColumns(outputColumnName, inputColumnName, options.LabelColumnName);
        _columns.CheckInput();
        (_options, _trainingColumn) = (options, trainingColumnName);
    }

    /// <summary>Counts what <see cref="ColumnMappingEstimator{T}.Fit(IDataView)"/> would train on, which logs the same.</summary>
    /// <param name="data">The rows.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type or size, or there are no rows.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    /// <exception cref="InvalidOperationException">A row's image or label is missing or of another size.</exception>
    public ImageDataReport DescribeTrainingData(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Check(Roles, SchemaShape.Create(data.Schema));
        using var sizes = StyleGan2Model.Create(
            ModelConfigurationFile.Read(PretrainedModels.ResolveImageFolder(_options.PretrainedModel)), torch.META);
        using var images = TrainingImageReader.Read(data, _trainingColumn, _columns, sizes.Generator, _options.CancellationToken);
        return ImageCounts.Of(images);
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.RolesWith(_trainingColumn);

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => [_columns.OutputOf(resolution: 0)];

    private protected override ImageGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        var seed = SeedOf(_options.Seed);
        var model = StyleGan2Model.Load(PretrainedModels.ResolveImageFolder(_options.PretrainedModel));
        return Ownership.Pass(model, () =>
        {
            var options = OptionCheck.TrainingOf<AdversarialTrainingOptions>(
                _options.Training, $"the StyleGAN2 '{_options.PretrainedModel}'");
            _options.CheckFor(model.Generator);
            if (_columns.Input is null || input.Schema.GetColumnOrNull(_columns.Input) is not null)
                _columns.FindInputs(input.Schema, model.Generator);
            if (_options.FeatureExtractor is { } extractor)
                GeneratorEvaluator.Check(model.Generator, extractor);
            using var images = TrainingImageReader.Read(input, _trainingColumn, _columns, model.Generator, _options.CancellationToken);
            var trainer = new StyleGan2Trainer(model, options with { Seed = seed }, images, _options.FeatureExtractor);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuning '{_options.PretrainedModel}' on {images.Count} images of {images.Resolution}x{images.Resolution} pixels. "
                + $"Features are computed in {PrecisionText.Of(trainer.Precision, options.Precision)}."));
            channel.Info($"Training data: {ImageCounts.Of(images)}. Memory: {trainer.EstimateMemory()}.");
            var result = trainer.Train(new ImageTrainingLog(channel, _options.Progress), _options.CancellationToken);
            channel.Info(string.Create(CultureInfo.InvariantCulture, $"Showed {result.Images} images in {result.Elapsed:hh\\:mm\\:ss}."));
            return new ImageGeneratorTransformer(
                model, _columns, _options.Truncation, _options.Noise, _options.GenerationBatchSize, seed, result);
        });
    }
}
