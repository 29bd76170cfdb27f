using Microsoft.ML;
using MLTransfer.Persistence;
using static TorchSharp.torch;

namespace MLTransfer.Text.Infilling;

/// <summary>
/// Writes and reads the part of a model file that belongs to a text infiller: the <see cref="TextInfillerManifest"/> and what
/// <see cref="TextModelFile"/> writes of the model.
/// </summary>
internal static class TextInfillerFile
{
    private static readonly ModelPart<TextInfillerManifest> s_part =
        new("TEXTFILL", TextInfillerTransformer.LoaderSignature, "text infiller");

    public static void Save(ModelSaveContext context, TextInfillerTransformer transformer) => s_part.Write(context, writer =>
    {
        using var hold = transformer.Model.Network.Hold();
        TextModelFile.Write(writer, transformer.Model, transformer.BaseModel, transformer.WeightType);
        return new TextInfillerManifest
        {
            Columns = transformer.Columns,
            Infilling = transformer.Infilling,
            DecodingPrecision = transformer.DecodingPrecision,
            WeightType = transformer.WeightType,
            BaseModel = transformer.BaseModel,
            Files = writer.Files,
            Card = ((ITextModel)transformer.Model).Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">
    /// The file holds only adapters, and the model that they need is not there or is another one.
    /// </exception>
    public static TextInfillerTransformer Load(ModelLoadContext context, Device device) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var model = TextModelFile.Read<TextInfillingModel, TextInfillerManifest>(reader, manifest.BaseModel, device);
        model.Infilling = manifest.Infilling;
        return new TextInfillerTransformer(
            model, ownsModel: true, manifest.Columns, manifest.Infilling, manifest.DecodingPrecision, manifest.WeightType,
            manifest.BaseModel);
    });
}
