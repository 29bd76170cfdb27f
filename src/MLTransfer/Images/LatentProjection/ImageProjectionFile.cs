using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Images.LatentProjection;

/// <summary>
/// Writes and reads the part of a model file that belongs to a projection: the <see cref="ImageProjectionManifest"/>, what a generator's
/// folder holds, and for a network of features <c>features.pt</c>.
/// </summary>
internal static class ImageProjectionFile
{
    private const string FeaturesName = "features.pt";

    private static readonly ModelPart<ImageProjectionManifest> s_part =
        new("IMAGPROJ", ImageProjectionTransformer.LoaderSignature, "projection of images");

    /// <exception cref="NotSupportedException">The network of features cannot be saved.</exception>
    public static void Save(ModelSaveContext context, ImageProjectionTransformer transformer) => s_part.Write(context, writer =>
    {
        var script = transformer.FeatureExtractor switch
        {
            null => null,
            TorchScriptFeatureExtractor program => program,
            var other => throw new NotSupportedException(
                $"A {other.GetType().Name} cannot be saved with a model. Give the network as a {nameof(TorchScriptFeatureExtractor)}, or "
                + "save the latent vectors."),
        };
        ImageGeneratorFile.AddModel(writer, transformer.Model);
        if (script is not null)
            writer.Add(FeaturesName, stream => stream.Write(script.ReadProgram()));
        return new ImageProjectionManifest
        {
            Columns = transformer.Columns,
            Projection = transformer.Projection,
            ProjectionBatchSize = transformer.ProjectionBatchSize,
            Features = script is null ? null : new(script.Resolution, script.Range.Black, script.Range.White),
            Files = writer.Files,
            Card = transformer.Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="InvalidOperationException">The file has a program that the application has not allowed.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static ImageProjectionTransformer Load(ModelLoadContext context, Device device) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        if (manifest.Features is not null)
            StoredProgram.CheckIsAllowed();
        var model = ImageGeneratorFile.ReadModel(reader, device);
        return Ownership.Pass(model, () => new ImageProjectionTransformer(
            model, manifest.Columns, manifest.Projection, manifest.ProjectionBatchSize,
            manifest.Features is { } input
                ? new TorchScriptFeatureExtractor(
                    reader.ReadBytes(FeaturesName, FileKind.Network), FeaturesName, input.Resolution, input.Black, input.White)
                : null)
        {
            Card = manifest.Card, OwnsFeatures = true,
        });
    });
}
