using MLTransfer.Columns;
using MLTransfer.Images;
using MLTransfer.Networks;
using MLTransfer.Persistence;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using static TorchSharp.torch;

[assembly: LoadableClass("Makes pictures with a StyleGAN2", typeof(ImageGeneratorTransformer), typeof(ImageGeneratorTransformer), null,
    typeof(SignatureLoadModel), "Image generator", ImageGeneratorTransformer.LoaderSignature)]

namespace MLTransfer.Images;

/// <summary>
/// Makes a picture for each row, from a seed, a latent vector or a label. Made by <see cref="ImageGeneratorEstimator"/> or <see cref="PretrainedImageGeneratorEstimator"/>.
/// </summary>
/// <remarks>
/// Rows are read and pictures are made while the result is enumerated, in batches of <see cref="GenerationBatchSize"/>, and only where the output column is asked
/// for. Rows stay in order. A seed s stands for the latent vector that <c>torch.randn(1, width)</c> draws after <c>torch.manual_seed(s)</c>.
/// Where there are labels alone, <see cref="Seed"/> and the id of the row decide on the latent vector: the same data gives the same pictures in any batch, cursor and
/// thread, a row keeps its picture when others are filtered out, and two rows of one label differ. A <c>PredictionEngine</c> numbers its calls: the first one gives the
/// picture of the first row. Several threads may enumerate results at once.
/// </remarks>
public sealed class ImageGeneratorTransformer : ITransformer, IColumnMapping, IDisposable
{
    internal const string LoaderSignature = "ImageGenerator";

    private volatile bool _disposed;

    internal ImageGeneratorTransformer(
        StyleGan2Model model, ImageGeneratorColumns columns, double truncation, NoiseMode noise, int generationBatchSize, long seed,
        StyleGan2TrainingResult? trainingResult = null)
    {
        (Model, Columns, Truncation, Noise) = (model, columns, truncation, noise);
        (GenerationBatchSize, Seed, TrainingResult) = (generationBatchSize, seed, trainingResult);
    }

    /// <summary>The generator, and the discriminator that a further fine-tuning starts from.</summary>
    public StyleGan2Model Model { get; }

    /// <summary>psi: how far styles keep from their mean.</summary>
    public double Truncation { get; }

    /// <summary>The per-pixel noise.</summary>
    public NoiseMode Noise { get; }

    /// <summary>Pictures that are made together.</summary>
    public int GenerationBatchSize { get; }

    /// <summary>Decides on the latent vectors of rows that have a label alone.</summary>
    public long Seed { get; }

    /// <summary>How training went; null where there was none in this process.</summary>
    public StyleGan2TrainingResult? TrainingResult { get; }

    internal ImageGeneratorColumns Columns { get; }

    /// <inheritdoc/>
    bool ITransformer.IsRowToRowMapper => true;

    /// <inheritdoc/>
    int IColumnMapping.BatchSize => GenerationBatchSize;

    /// <inheritdoc/>
    IReadOnlyList<(string Name, DataViewType Type)> IColumnMapping.NewColumns =>
        [(Columns.Output, new ImageDataViewType(Model.Generator.ImageResolution, Model.Generator.ImageResolution))];

    /// <summary>The schema after this transformer.</summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedSchema(inputSchema, this).Output;
    }

    /// <inheritdoc/>
    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(inputSchema, this);
    }

    /// <summary>Adds the column of pictures. Nothing is read or made before the result is enumerated.</summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedDataView(input, this);
    }

    /// <inheritdoc/>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        ObjectDisposedException.ThrowIf(_disposed, this);
        ImageGeneratorFile.Save(ctx, this);
    }

    /// <inheritdoc/>
    IReadOnlyList<DataViewSchema.Column> IColumnMapping.FindInputs(DataViewSchema schema) => Columns.FindInputs(schema, Model.Generator);

    /// <inheritdoc/>
    MappedBatch IColumnMapping.CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) => new GeneratedImageBatch(
        this,
        Columns.Input is null
            ? LatentSource.Draw(source, Seed, Model.Generator.LatentWidth)
            : LatentSource.Create(source, inputs[0], Model.Generator.LatentWidth),
        Columns.Label is null ? null : ColumnValues.Create(source, inputs[^1], [Model.Generator.LabelWidth], ImageScaling.ZeroToOne));

    /// <summary>Frees the networks.</summary>
    public void Dispose()
    {
        _disposed = true;
        Model.Dispose();
    }

    /// <summary>[rows, channels, height, width]: -1 is black and 1 white.</summary>
    internal float[] Generate(LatentSource latents, ColumnValues? labels)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var generator = Model.Generator;
        var pictures = generator.Generate(
            latents.ToTensor().to(generator.Device),
            labels is null ? null : LatentSource.ToTensor(labels, generator.LabelWidth).to(generator.Device),
            Truncation,
            Noise).cpu().contiguous();
        return NativeTensor.AsSpan<float>(pictures).ToArray();
    }

    // Called by ML.NET when it loads a model file.
    internal static ImageGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => ImageGeneratorFile.Load(ctx);
}
