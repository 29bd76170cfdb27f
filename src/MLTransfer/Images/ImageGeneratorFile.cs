using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>
/// Writes and reads the part of a model file that belongs to an image generator. Beside the <see cref="ImageGeneratorManifest"/> its folder
/// in the zip holds what a model's folder holds: <c>config.json</c>, <c>generator.safetensors</c> and <c>discriminator.safetensors</c>.
/// </summary>
internal static class ImageGeneratorFile
{
    private static readonly ModelPart<ImageGeneratorManifest> s_part =
        new("IMAGEGEN", ImageGeneratorTransformer.LoaderSignature, "image generator");

    public static void Save(ModelSaveContext context, ImageGeneratorTransformer transformer) => s_part.Write(context, writer =>
    {
        AddModel(writer, transformer.Model);
        return new ImageGeneratorManifest
        {
            Columns = transformer.Columns,
            Truncation = transformer.Truncation,
            Noise = transformer.Noise,
            GenerationBatchSize = transformer.GenerationBatchSize,
            Seed = transformer.Seed,
            Files = writer.Files,
            Card = transformer.Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static ImageGeneratorTransformer Load(ModelLoadContext context, Device device) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var model = ReadModel(reader, device);
        return Ownership.Pass(model, () =>
        {
            manifest.ToOptions().CheckFor(model.Generator);
            manifest.Columns.CheckLabel(model.Generator);
            return new ImageGeneratorTransformer(
                model, manifest.Columns, manifest.Truncation, manifest.Noise, manifest.GenerationBatchSize, manifest.Seed)
            {
                Card = manifest.Card,
            };
        });
    });

    /// <summary>Writes the files of a model.</summary>
    public static void AddModel(ModelPartWriter writer, StyleGan2Model model)
    {
        using var hold = model.Hold();
        writer.AddText(ModelConfigurationFile.FileName, model.Configuration.ToJsonString());
        writer.AddWeights(StyleGan2Model.GeneratorFile, StyleGan2Model.CheckpointTensors(model.Generator));
        writer.AddWeights(StyleGan2Model.DiscriminatorFile, StyleGan2Model.CheckpointTensors(model.Discriminator));
    }

    /// <summary>Reads the files of a model.</summary>
    public static StyleGan2Model ReadModel<TManifest>(ModelPartReader<TManifest> reader, Device device)
        where TManifest : ModelManifest
    {
        var configuration = reader.ReadJson(ModelConfigurationFile.FileName);
        using var generator = reader.ReadWeights(StyleGan2Model.GeneratorFile);
        using var discriminator = reader.ReadWeights(StyleGan2Model.DiscriminatorFile);
        return StyleGan2Model.Load(configuration, generator, discriminator, reader.Origin, device);
    }
}
