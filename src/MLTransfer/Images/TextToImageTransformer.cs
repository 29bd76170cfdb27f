using MLTransfer;
using MLTransfer.Cards;
using MLTransfer.Columns;
using MLTransfer.Images;
using MLTransfer.Images.Evaluation;
using MLTransfer.Logging;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Images;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

[assembly: LoadableClass("Makes pictures of captions with a network that writes their codes", typeof(TextToImageTransformer),
    typeof(TextToImageTransformer), null, typeof(SignatureLoadModel), "Text-to-image generator",
    TextToImageTransformer.TextLoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Makes a picture for each row: of a caption, or of a picture that is completed or varied, with or without one. Made by
/// <see cref="ImageGeneratorEstimator"/> or <see cref="PretrainedImageGeneratorEstimator"/> where the network is a DALL-E or a DALL-E mini.
/// </summary>
/// <remarks>
/// Pictures are made in batches of <see cref="ImageGeneratorTransformer.GenerationBatchSize"/> rows, and only where the output column is
/// asked for. Where no column has seeds, <see cref="ImageGeneratorTransformer.Seed"/> and the id of the row decide on what is drawn: the
/// same data gives the same pictures in any batch, cursor and thread, a row keeps its picture when others are filtered out, and two rows of
/// one caption differ. A <c>PredictionEngine</c> numbers its calls: the first one gives the picture of the first row.
/// </remarks>
public sealed class TextToImageTransformer
    : ImageGeneratorTransformer, IOnnxExport, IModelFolder, IImageEvaluation, IImageOutput, IPictureSource
{
    internal const string TextLoaderSignature = "TextToImage";

    private readonly TextToImageGenerator _generator;

    internal TextToImageTransformer(
        TextToImageModel network, TextTokenizer? tokenizer, TextToImageColumns columns, ImageGenerationOptions? generation,
        int generationBatchSize, long seed)
        : base(generationBatchSize, seed)
    {
        (Network, Tokenizer, TextColumns, Generation) = (network, tokenizer, columns, generation);
        _generator = new TextToImageGenerator(network, tokenizer);
    }

    /// <summary>The network, disposed with this object.</summary>
    public TextToImageModel Network { get; }

    /// <summary>The tokenizer of captions; null where the network's folder had none.</summary>
    public TextTokenizer? Tokenizer { get; }

    /// <summary>How pictures are drawn; null for defaults.</summary>
    public ImageGenerationOptions? Generation { get; }

    /// <summary>How training went; null where there was none in this process.</summary>
    public TextToImageTrainingResult? TextToImageResult { get; internal init; }

    /// <summary>Pixels along a picture's side.</summary>
    internal int Side => TextToImageKind.SideOf(Network);

    /// <summary>The model that the adapters belong to, where only they are saved.</summary>
    internal BaseModelReference? AdaptersOf { get; init; }

    internal TextToImageColumns TextColumns { get; }

    /// <inheritdoc/>
    string IImageOutput.ImageColumn => TextColumns.Output;

    private protected override IReadOnlyList<OutputColumn> Outputs => [TextColumns.OutputOf(Side)];

    /// <summary>Generates pictures.</summary>
    /// <inheritdoc cref="TextToImageGenerator.Generate"/>
    public IReadOnlyList<GeneratedImage> Generate(
        IReadOnlyList<ImagePrompt> prompts, ImageGenerationOptions? options = null, IProgress<ImageGenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        using var hold = Hold();
        return _generator.Generate(prompts, options ?? Generation, progress, cancellationToken);
    }

    /// <inheritdoc/>
    int IPictureSource.PictureSide => Side;

    /// <inheritdoc/>
    string IPictureSource.NetworkName => TextToImageKind.Of(Network, Tokenizer).Name;

    /// <inheritdoc/>
    IReadOnlyList<MLImage> IPictureSource.MakePictures(
        string? prompt, int count, long? seed, ImageGenerationOptions? options, CancellationToken cancellationToken)
    {
        var prompts = PictureRequests.Prompts(prompt, count, seed ?? Seed, TextToImageKind.Of(Network, Tokenizer));
        return PictureRequests.ToImages(Generate(prompts, options, cancellationToken: cancellationToken));
    }

    /// <summary>The network in memory of its own, adapters merged.</summary>
    internal TextToImageModel CopyNetwork(Device device)
    {
        using var hold = Hold();
        var copy = Network.Copy(device);
        return Ownership.Pass(copy, () =>
        {
            if (Network.Lora is not null)
            {
                PeftAdapterFolder.Copy(Network, copy);
                LowRankAdaptation.Merge(copy);
            }

            return copy;
        });
    }

    /// <summary>The pictures of rows, each as if it were alone.</summary>
    internal IReadOnlyList<GeneratedImage> Write(IReadOnlyList<ImagePrompt> prompts)
    {
        using var hold = Hold();
        using var network = Network.Hold();
        return _generator.Generate(prompts, (Generation ?? new()) with { BatchSize = Math.Max(1, prompts.Count) });
    }

    /// <summary>The loss on the pictures of a column, with the captions that training reads.</summary>
    /// <exception cref="ArgumentException">A column is missing or has another type or size, or there are no rows.</exception>
    /// <exception cref="InvalidOperationException">A row's image is missing or of another size.</exception>
    internal TextToImageEvaluationResult EvaluateCodes(IDataView data, string imageColumn, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        var reader = new TextToImageTrainingReader(data, imageColumn, TextColumns, Network, Tokenizer);
        var cache = new ImageCodeCache(Network, folder: null);
        return TextToImageEvaluator.Evaluate(
            Network, [.. reader.Read(cancellationToken).Select(row => new TextToImageExample(row.Text, cache.Encode(row.Pixels)))],
            Tokenizer, cancellationToken: cancellationToken);
    }

    /// <inheritdoc/>
    IReadOnlyList<OnnxExportedFile> IOnnxExport.ExportToOnnx(
        string path, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return TextToImageExporter.Export(
            Network, Tokenizer, path, options, new OnnxExportLog(channel, "numbers"), cancellationToken);
    }

    /// <inheritdoc/>
    void IModelFolder.SaveModelFolder(string folder, WeightType weightType)
    {
        using var hold = Hold();
        using var network = Network.Hold();
        using var merged = Network.Lora is null ? null : CopyNetwork(Network.Device);
        ModelFolder.Write(folder, ModelConfigurationFile.FileName, inside =>
        {
            (merged ?? Network).Save(inside, weightType.ToScalarType());
            Tokenizer?.Save(inside);
            ModelCardFile.Write(
                inside, folder, new CardKind("image generator", "mltransfer", "text-to-image", Network.GetName()), Card);
        });
    }

    /// <inheritdoc/>
    ImageDistances IImageEvaluation.Evaluate(
        IDataView data, string imageColumn, IImageFeatureExtractor extractor, int count, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        var (real, made) = TextToImageFeatures.Of(this, data, imageColumn, extractor, count, cancellationToken);
        using (real)
        using (made)
            return new(FeatureDistances.FrechetDistance(real, made), FeatureDistances.KernelDistance(real, made));
    }

    /// <inheritdoc/>
    NearestImages IImageEvaluation.EvaluateMemorization(
        IDataView data, string imageColumn, IImageFeatureExtractor? extractor, int count, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        extractor ??= new DelegateFeatureExtractor(images => images.flatten(1));
        var (real, made) = TextToImageFeatures.Of(this, data, imageColumn, extractor, count, cancellationToken);
        using (real)
        using (made)
            return NearestImages.Find(made, real, [.. Enumerable.Range(0, count).Select(seed => (long)seed)], cancellationToken);
    }

    // Called by ML.NET when it loads a model file.
    internal static new TextToImageTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        TextToImageFile.Load(ctx, ComputeDevice.Of(env));

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        FindTextInputs(schema).All;

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new WrittenImageBatch(source, FindTextInputs(source.Schema), Side, Seed, Write);

    private protected override void Save(ModelSaveContext context) => TextToImageFile.Save(context, this);

    private protected override void Free() => Network.Dispose();

    private TextToImageInputs FindTextInputs(DataViewSchema schema) =>
        TextColumns.FindInputs(schema, TextToImageKind.Of(Network, Tokenizer));
}
