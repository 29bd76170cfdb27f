using MLTransfer.Persistence;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Text;

/// <summary>
/// Writes and reads the part of a model file that belongs to a text generator: the <see cref="TextGeneratorManifest"/> and what
/// <see cref="TextModelFile"/> writes of the model.
/// </summary>
internal static class TextGeneratorFile
{
    private static readonly ModelPart<TextGeneratorManifest> s_part =
        new("TEXTGENR", TextGeneratorTransformer.LoaderSignature, "text generator");

    public static void Save(ModelSaveContext context, TextGeneratorTransformer transformer) => s_part.Write(context, writer =>
    {
        using var hold = transformer.Model.Network.Hold();
        TextModelFile.Write(writer, transformer.Model, transformer.BaseModel, transformer.WeightType);
        return new TextGeneratorManifest
        {
            Columns = transformer.Columns,
            Generation = transformer.Generation,
            GenerationBatchSize = transformer.GenerationBatchSize,
            DecodingPrecision = transformer.DecodingPrecision,
            WeightType = transformer.WeightType,
            RowForm = transformer.RowForm,
            PublishedEnds = transformer.Model.PublishedEnds is { Count: > 0 } ends ? ends : null,
            BaseModel = transformer.BaseModel,
            Files = writer.Files,
            Card = transformer.Model.Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">
    /// The file holds only adapters, and the model that they need is not there or is another one.
    /// </exception>
    public static TextGeneratorTransformer Load(ModelLoadContext context, Device device) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var model = TextModelFile.Read<TextGenerationModel, TextGeneratorManifest>(reader, manifest.BaseModel, device);
        if (manifest.PublishedEnds is { } ends)
            model.PublishedEnds = ends;
        return new TextGeneratorTransformer(
            model, ownsModel: true, manifest.Columns, manifest.Generation, manifest.GenerationBatchSize, manifest.DecodingPrecision,
            manifest.WeightType, manifest.RowForm, manifest.BaseModel);
    });
}
