using MLTransfer.Cards;
using MLTransfer;
using MLTransfer.Columns;
using MLTransfer.Images;
using MLTransfer.Images.Evaluation;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

[assembly: LoadableClass("Makes pictures with a StyleGAN2", typeof(ImageGeneratorTransformer), typeof(ImageGeneratorTransformer), null,
    typeof(SignatureLoadModel), "Image generator", ImageGeneratorTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Makes a picture for each row, from a seed, a latent vector or a label, or, as a <see cref="TextToImageTransformer"/>, from a caption or
/// a picture. Made by <see cref="ImageGeneratorEstimator"/> or <see cref="PretrainedImageGeneratorEstimator"/>.
/// </summary>
/// <remarks>
/// Pictures are made in batches of <see cref="GenerationBatchSize"/> rows, and only where the output column is asked for. A seed s stands
/// for the latent vector that <c>torch.randn(1, width)</c> draws after <c>torch.manual_seed(s)</c>. Where there are labels alone,
/// <see cref="Seed"/> and the id of the row decide on the latent vector: the same data gives the same pictures in any batch, cursor and
/// thread, a row keeps its picture when others are filtered out, and two rows of one label differ. A <c>PredictionEngine</c> numbers its
/// calls: the first one gives the picture of the first row.
/// </remarks>
public class ImageGeneratorTransformer
    : ColumnMappingTransformer, IOnnxExport, IModelFolder, IImageEvaluation, IImageOutput, IStyleGan2, IPictureSource
{
    internal const string LoaderSignature = "ImageGenerator";

    private readonly StyleGan2Model? _model;
    private readonly ImageGeneratorColumns? _columns;

    internal ImageGeneratorTransformer(
        StyleGan2Model model, ImageGeneratorColumns columns, double truncation, NoiseMode noise, int generationBatchSize, long seed,
        StyleGan2TrainingResult? trainingResult = null)
        : base(generationBatchSize)
    {
        (_model, _columns, Truncation, Noise) = (model, columns, truncation, noise);
        (GenerationBatchSize, Seed, TrainingResult) = (generationBatchSize, seed, trainingResult);
    }

    /// <summary>For a network of another kind.</summary>
    private protected ImageGeneratorTransformer(int generationBatchSize, long seed)
        : base(generationBatchSize) => (Truncation, GenerationBatchSize, Seed) = (1, generationBatchSize, seed);

    /// <summary>The generator, and the discriminator that a further fine-tuning starts from.</summary>
    /// <exception cref="InvalidOperationException">The network is none, but one that writes codes: see
    /// <see cref="TextToImageTransformer.Network"/>.</exception>
    public StyleGan2Model Model => _model ?? throw new InvalidOperationException(
        $"The network is no StyleGAN2, but one that writes codes of pictures: see {nameof(TextToImageTransformer)}."
        + $"{nameof(TextToImageTransformer.Network)}.");

    /// <summary>psi: how far styles keep from their mean.</summary>
    public double Truncation { get; }

    /// <summary>The per-pixel noise.</summary>
    public NoiseMode Noise { get; }

    /// <summary>Pictures that are made together.</summary>
    public int GenerationBatchSize { get; }

    /// <summary>Decides on the latent vectors of rows that have a label alone, and on what is drawn for rows of captions.</summary>
    public long Seed { get; }

    /// <summary>How training went; null where there was none in this process.</summary>
    public StyleGan2TrainingResult? TrainingResult { get; }

    /// <summary>What a model card tells; null where nothing is known of the model.</summary>
    internal ModelCard? Card { get; init; }

    internal ImageGeneratorColumns Columns => _columns!;

    private protected override IReadOnlyList<OutputColumn> Outputs => [Columns.OutputOf(Model.Generator.ImageResolution)];

    /// <inheritdoc/>
    string IImageOutput.ImageColumn => Columns.Output;

    /// <inheritdoc/>
    int IPictureSource.PictureSide => Model.Generator.ImageResolution;

    /// <inheritdoc/>
    string IPictureSource.NetworkName => "stylegan2";

    /// <inheritdoc/>
    IReadOnlyList<MLImage> IPictureSource.MakePictures(
        string? prompt, int count, long? seed, ImageGenerationOptions? options, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        if (options is not null)
            throw new ArgumentException($"A StyleGAN2 writes no codes: {nameof(ImageGenerationOptions)} have no meaning for it.");
        return PictureRequests.Draw(
            Model, prompt, Enumerable.Range(0, count).Select(i => unchecked((seed ?? Seed) + i)), Truncation, Noise, cancellationToken);
    }

    /// <summary>The model in memory of its own.</summary>
    internal StyleGan2Model CopyModel(Device device)
    {
        using var hold = Hold();
        return Model.Copy(device);
    }

    /// <inheritdoc/>
    IReadOnlyList<OnnxExportedFile> IOnnxExport.ExportToOnnx(
        string path, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return OnnxFileExport.Write(
            path, options, "pixels", channel, () => ImageGeneratorExporter.Export(Model, path, Noise), cancellationToken);
    }

    /// <inheritdoc/>
    void IModelFolder.SaveModelFolder(string folder, WeightType weightType)
    {
        using var hold = Hold();
        ModelFolder.Write(folder, ModelConfigurationFile.FileName, inside =>
        {
            Model.Save(inside, weightType.ToScalarType());
            var pipeline = Model.Generator.LabelWidth == 0 ? "unconditional-image-generation" : null;
            ModelCardFile.Write(inside, folder, new CardKind("image generator", "mltransfer", pipeline, "stylegan2"), Card);
        });
    }

    /// <inheritdoc/>
    ImageDistances IImageEvaluation.Evaluate(
        IDataView data, string imageColumn, IImageFeatureExtractor extractor, int count, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        using var model = Model.Hold();
        GeneratorEvaluator.Check(Model.Generator, extractor);
        using var images = TrainingImageReader.Read(data, imageColumn, Columns, Model.Generator, cancellationToken);
        return GeneratorEvaluator.Evaluate(Model.Generator, images, extractor, count, cancellationToken: cancellationToken);
    }

    /// <inheritdoc/>
    NearestImages IImageEvaluation.EvaluateMemorization(
        IDataView data, string imageColumn, IImageFeatureExtractor? extractor, int count, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        using var images = TrainingImageReader.Read(data, imageColumn, Columns, Model.Generator, cancellationToken);
        return NearestImages.Find(
            Model.Generator, images, [.. Enumerable.Range(0, count).Select(seed => (long)seed)], extractor,
            cancellationToken: cancellationToken);
    }

    /// <summary>[rows, channels, height, width]: -1 is black and 1 white.</summary>
    internal float[] Generate(LatentSource latents, LatentSpace space, ColumnValues? labels)
    {
        using var hold = Hold();
        using var model = Model.Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var generator = Model.Generator;
        var vectors = latents.ToTensor().to(generator.Device);
        var styles = space == LatentSpace.Z
            ? generator.Map(
                vectors, labels is null ? null : LatentSource.ToTensor(labels, generator.LabelWidth).to(generator.Device), Truncation)
            : generator.Truncate(
                vectors.view(vectors.shape[0], -1, generator.StyleWidth).expand(-1, generator.StyleCount, -1), Truncation);
        var pictures = generator.Synthesize(styles, Noise).cpu().contiguous();
        return NativeTensor.AsSpan<float>(pictures).ToArray();
    }

    // Called by ML.NET when it loads a model file.
    internal static ImageGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ImageGeneratorFile.Load(ctx, ComputeDevice.Of(env));

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        Columns.FindInputs(schema, Model.Generator);

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots)
    {
        var space = Columns.Input is null ? LatentSpace.Z : Columns.SpaceOf(inputs[0], Model.Generator);
        var latents = Columns.Input is null
            ? LatentSource.Draw(source, Seed, Model.Generator.LatentWidth)
            : LatentSource.Create(source, inputs[0], LatentColumn.Width(space, Model.Generator));
        var labels = Columns.Label is null
            ? null
            : ColumnValues.Create(source, inputs[^1], [Model.Generator.LabelWidth], ImageScaling.ZeroToOne);
        return new GeneratedImageBatch(this, latents, space, labels);
    }

    private protected override void Save(ModelSaveContext context) => ImageGeneratorFile.Save(context, this);

    private protected override void Free() => Model.Dispose();
}
