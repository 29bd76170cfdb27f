using MLTransfer.Cards;
using MLTransfer;
using MLTransfer.Columns;
using MLTransfer.Images;
using MLTransfer.Images.LatentProjection;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.LatentProjection;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

[assembly: LoadableClass("Projects pictures into a StyleGAN2", typeof(ImageProjectionTransformer), typeof(ImageProjectionTransformer), null,
    typeof(SignatureLoadModel), "Image projection", ImageProjectionTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Finds for each picture the latent vector from which a StyleGAN2 makes it. Made by <see cref="ImageProjectionEstimator"/>.
/// </summary>
/// <remarks>
/// Pictures are projected in batches of <see cref="ProjectionBatchSize"/> rows, and only where the output column is asked for: each time
/// that it is read. Keep the vectors (<c>ml.Data.Cache</c>, <c>SaveAsBinary</c>) where they are read more than once.
/// </remarks>
public sealed class ImageProjectionTransformer : ColumnMappingTransformer, IStyleGan2
{
    internal const string LoaderSignature = "ImageProjection";

    private static readonly ImageScaling s_scaling = ImageScaling.MinusOneToOne;

    private readonly StyleGan2Projector _projector;

    internal ImageProjectionTransformer(
        StyleGan2Model model, ImageProjectionColumns columns, ProjectionOptions projection, int projectionBatchSize,
        IImageFeatureExtractor? featureExtractor)
        : base(projectionBatchSize)
    {
        (Model, Columns, Projection, ProjectionBatchSize) = (model, columns, projection, projectionBatchSize);
        FeatureExtractor = featureExtractor;
        _projector = new StyleGan2Projector(model.Generator, projection, featureExtractor);
    }

    /// <summary>The model that pictures are projected into.</summary>
    public StyleGan2Model Model { get; }

    /// <summary>How.</summary>
    public ProjectionOptions Projection { get; }

    /// <summary>Pictures that are projected together.</summary>
    public int ProjectionBatchSize { get; }

    /// <summary>Told after every step; null for nobody.</summary>
    internal IProgress<ProjectionProgress>? Progress { get; init; }

    internal CancellationToken CancellationToken { get; init; }

    /// <summary>What a model card tells; null where nothing is known of the model.</summary>
    internal ModelCard? Card { get; init; }

    internal IImageFeatureExtractor? FeatureExtractor { get; }

    /// <summary>Whether the network of features is this object's, as where it was loaded with it.</summary>
    internal bool OwnsFeatures { get; init; }

    internal ImageProjectionColumns Columns { get; }

    private protected override IReadOnlyList<OutputColumn> Outputs =>
        [LatentColumn.Create(Columns.Output, Projection.Space, Model.Generator)];

    /// <summary>[rows, values of a latent vector].</summary>
    internal float[] Project(ColumnValues pictures)
    {
        using var hold = Hold();
        using var model = Model.Hold();
        using var scope = NewDisposeScope();
        var (channels, size) = (Model.Generator.ImageChannels, Model.Generator.ImageResolution);
        var values = LatentSource.ToTensor(pictures, channels * size * size).view(pictures.Count, channels, size, size);
        using var found = _projector.Project(values, Progress, CancellationToken);
        return NativeTensor.AsSpan<float>(found.Latents.cpu().contiguous()).ToArray();
    }

    // Called by ML.NET when it loads a model file.
    internal static ImageProjectionTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ImageProjectionFile.Load(ctx, ComputeDevice.Of(env));

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        [Columns.Find(schema, Model.Generator)];

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots)
    {
        var (channels, size) = (Model.Generator.ImageChannels, Model.Generator.ImageResolution);
        return new ProjectedImageBatch(this, ColumnValues.Create(source, inputs[0], [channels, size, size], s_scaling));
    }

    private protected override void Save(ModelSaveContext context) => ImageProjectionFile.Save(context, this);

    private protected override void Free()
    {
        Model.Dispose();
        if (OwnsFeatures)
            (FeatureExtractor as IDisposable)?.Dispose();
    }
}
