using System.Text;
using MLTransfer.Images;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using TorchSharp;

namespace MLTransfer.Persistence;

/// <summary>
/// Writes and reads the part of a model file that belongs to an image generator. Beside the <see cref="ImageGeneratorManifest"/> its folder in the zip holds what a
/// model's folder holds: <c>config.json</c>, <c>generator.safetensors</c> and <c>discriminator.safetensors</c>.
/// </summary>
internal static class ImageGeneratorFile
{
    private const int MaximumConfigurationLength = 10 << 20;

    private static VersionInfo Version => ModelFileVersion.Create("IMAGEGEN", ImageGeneratorTransformer.LoaderSignature);

    public static void Save(ModelSaveContext context, ImageGeneratorTransformer transformer)
    {
        if (!context.InRepository)
            throw new NotSupportedException("An image generator can only be saved to a model file (zip).");
        context.CheckAtModel();
        context.SetVersionInfo(Version);
        var model = transformer.Model;
        var archive = RepositoryArchive.Of(context.Repository);
        StoredManifest.Write(context, new ImageGeneratorManifest
        {
            Columns = transformer.Columns,
            Truncation = transformer.Truncation,
            Noise = transformer.Noise,
            GenerationBatchSize = transformer.GenerationBatchSize,
            Seed = transformer.Seed,
            Files =
            [
                StoredFile.Write(context, archive, ModelConfigurationFile.FileName, compress: true,
                    stream => stream.Write(Encoding.UTF8.GetBytes(model.Configuration.ToJsonString()))),
                Weights(StyleGan2Model.GeneratorFile, model.Generator),
                Weights(StyleGan2Model.DiscriminatorFile, model.Discriminator),
            ],
        });

        StoredFile Weights(string name, torch.nn.Module network) => StoredFile.Write(
            context, archive, name, compress: false, stream => SafetensorsWriter.Write(stream, StyleGan2Model.CheckpointTensors(network)));
    }

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static ImageGeneratorTransformer Load(ModelLoadContext context)
    {
        ModelFileVersion.Check(context, Version);
        var manifest = StoredManifest.Read<ImageGeneratorManifest>(context, "image generator", manifest => manifest.Check());
        var archive = RepositoryArchive.Of(context.Repository);
        var configuration = ModelConfigurationFile.Parse(
            Find(ModelConfigurationFile.FileName).ReadBytes(context, archive, MaximumConfigurationLength), $"The model file's {ModelConfigurationFile.FileName}");
        using var generator = Weights(StyleGan2Model.GeneratorFile);
        using var discriminator = Weights(StyleGan2Model.DiscriminatorFile);
        var model = StyleGan2Model.Load(configuration, generator, discriminator, $"The model file's part '{context.Directory}'");
        try
        {
            manifest.ToOptions().CheckFor(model.Generator);
            manifest.Columns.CheckLabel(model.Generator);
            return new ImageGeneratorTransformer(model, manifest.Columns, manifest.Truncation, manifest.Noise, manifest.GenerationBatchSize, manifest.Seed);
        }
        catch (ArgumentException exception)
        {
            model.Dispose();
            throw new InvalidDataException($"The model file is damaged: the image generator in '{context.Directory}': {exception.Message}", exception);
        }

        SafetensorsFile Weights(string name) => Find(name).Read(context, archive, stream => SafetensorsFile.Read(stream, name));

        StoredFile Find(string name) => StoredFile.Find(manifest.Files, name, "image generator");
    }
}
