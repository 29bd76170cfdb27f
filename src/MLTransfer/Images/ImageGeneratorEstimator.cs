using System.Globalization;
using MLTransfer.Cards;
using MLTransfer.Images;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>
/// Fine-tunes a pretrained image generator on a column of images: a StyleGAN2 (arXiv 1912.04958, with the augmentation of arXiv
/// 2006.06676), or a network that reads captions and writes codes of pictures (DALL-E, arXiv 2102.12092; DALL-E mini). Which it is says
/// the pretrained model.
/// </summary>
/// <remarks>
/// Of captioned pictures codes are kept in memory, made once by the network's codec. The transformer is a
/// <see cref="TextToImageTransformer"/> then. What follows is of a StyleGAN2.
/// Training images are kept in memory, as bytes. The same data, options and seed give the same weights to the bit on the same machine with
/// the same thread count, also where training is interrupted and resumed. The data needs the column of images, and of labels where the
/// model takes them; the input column may be missing, but not inside of a chain, which transforms the data that it was fitted on.
/// </remarks>
public sealed class ImageGeneratorEstimator : ColumnMappingEstimator<ImageGeneratorTransformer>
{
    private readonly ImageGeneratorOptions _options;
    private readonly ImageGeneratorColumns _columns;
    private readonly TextToImageColumns _textColumns;
    private readonly string _trainingColumn;

    internal ImageGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string trainingColumnName,
        ImageGeneratorOptions options)
        : base(environment, "Fine-tuning an image generator")
    {
        options.Check();
        _columns = new ImageGeneratorColumns(
            outputColumnName, inputColumnName, options.LabelColumnName, options.LatentSpace);
        _textColumns = TextToImageColumns.Create(outputColumnName, inputColumnName, options);
        if (options.CaptionColumnName is null)
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
        if (Kind != ImageNetworkKind.StyleGan2)
        {
            using var channel = Host.Start(nameof(DescribeTrainingData));
            var start = ImageBase.Load(Host, _options, channel);
            using var loaded = (IDisposable?)start.TextToImage?.Network ?? start.StyleGan2!.Model;
            if (start.TextToImage is { } text)
                return Tuning(text, data.Schema).Count(data, _textColumns, _trainingColumn);
        }

        using var sizes = ImageBaseModel.Sizes(Host, _options);
        using var images = TrainingImageReader.Read(data, _trainingColumn, _columns, sizes.Generator, _options.CancellationToken);
        return ImageCounts.Of(images);
    }

    private protected override IEnumerable<ColumnRole> Roles =>
        ImageRoles.Of(Kind, _columns.RolesWith(_trainingColumn), _textColumns.RolesWith(_trainingColumn));

    private ImageNetworkKind Kind =>
        _options.BaseModel is { } model ? ImageNetworkKinds.Of(model) : ImageNetworkKinds.Of(_options.PretrainedModel);

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => [_columns.OutputOf(resolution: 0)];

    private protected override ImageGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        var seed = SeedOf(_options.Seed);
        var name = _options.BaseModel is null ? $"'{_options.PretrainedModel}'" : "the loaded model";
        if (Kind == ImageNetworkKind.StyleGan2)
            OptionCheck.TrainingOf<AdversarialTrainingOptions>(_options.Training, $"the StyleGAN2 {name}");
        GenerationLog.Warn(channel, _options.TextToImage);
        var found = ImageBase.Load(Host, _options, channel);
        return found.TextToImage is { } text
            ? Ownership.Pass(text.Network, () => Tuning(text, input.Schema).Train(input, _textColumns, _trainingColumn, channel))
            : Fit(found.StyleGan2!, input, seed, name, channel);
    }

    private TextToImageFineTuning Tuning(TextToImageBase start, DataViewSchema schema)
    {
        _textColumns.CheckInput();
        Check(_textColumns.RolesWith(_trainingColumn), SchemaShape.Create(schema));
        if (_options.ValidationData is { } validation)
            Check(_textColumns.RolesWith(_trainingColumn), SchemaShape.Create(validation.Schema));
        return new TextToImageFineTuning(start, _options, SeedOf(_options.Seed));
    }

    private ImageGeneratorTransformer Fit(ImageBaseModel found, IDataView input, long seed, string name, IChannel channel)
    {
        var (start, origin) = found;
        var options = Ownership.Pass(start, () =>
        {
            _columns.CheckInput();
            Check(_columns.RolesWith(_trainingColumn), SchemaShape.Create(input.Schema));
            return OptionCheck.TrainingOf<AdversarialTrainingOptions>(_options.Training, $"the StyleGAN2 {name}");
        });
        var model = WithLabels(start, input.Schema, options, seed);
        return Ownership.Pass(model, () =>
        {
            _options.CheckFor(model.Generator);
            if (_columns.Input is null || input.Schema.GetColumnOrNull(_columns.Input) is not null)
                _columns.FindInputs(input.Schema, model.Generator);
            if (_options.FeatureExtractor is { } extractor)
                GeneratorEvaluator.Check(model.Generator, extractor);
            using var images = TrainingImageReader.Read(input, _trainingColumn, _columns, model.Generator, _options.CancellationToken);
            var trainer = new StyleGan2Trainer(
                model, TrainingObserver.Place(options with { Seed = seed }), images, _options.FeatureExtractor);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuning {name} on {images.Count} images of {images.Resolution}x{images.Resolution} pixels."));
            ComputationLog.Tell(channel, trainer.Computation);
            channel.Info($"Training data: {ImageCounts.Of(images)}. Memory: {trainer.EstimateMemory()}.");
            var result = trainer.Train(
                new ImageTrainingLog(channel, _options.Progress, _options.RunProgress), _options.CancellationToken, _options.StopAndKeep);
            if (result.StoppedOnRequest)
                channel.Info(string.Create(CultureInfo.InvariantCulture, $"Stopped after step {result.Steps}, as was asked."));
            channel.Info(string.Create(CultureInfo.InvariantCulture, $"Showed {result.Images} images in {result.Elapsed:hh\\:mm\\:ss}."));
            var last = result.History is [.., var report] ? report : null; // there is none where a finished run was resumed
            return new ImageGeneratorTransformer(
                model, _columns, _options.Truncation, _options.Noise, _options.GenerationBatchSize, seed, result)
            {
                Card = ModelCard.OfTraining(
                    origin,
                    [new("images", $"{images.Count}"), new("pixels", $"{images.Resolution}x{images.Resolution}")],
                    [
                        ("generator loss of the last step", last?.GeneratorLoss),
                        ("discriminator loss of the last step", last?.DiscriminatorLoss),
                        ("Frechet distance", result.FrechetDistance), ("kernel distance", result.KernelDistance),
                        ("images shown", result.Images),
                    ],
                    trainer.Computation.Fix(options with { Seed = seed })),
            };
        });
    }

    /// <summary>The model, or where there are labels that it does not take, one made of it that does.</summary>
    private StyleGan2Model WithLabels(StyleGan2Model model, DataViewSchema schema, AdversarialTrainingOptions options, long seed)
    {
        if (_columns.Label is null || model.Generator.LabelWidth > 0)
            return model;
        using (model)
        {
            if (options.FreezeMapping)
            {
                throw new ArgumentException(
                    $"{nameof(AdversarialTrainingOptions.FreezeMapping)} freezes what reads labels, which is new: the base takes none. "
                    + "Leave it false.");
            }

            return model.WithLabels(_columns.CountClasses(schema), seed);
        }
    }
}
