using MLTransfer.Onnx.Generation;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML;

namespace MLTransfer.Images.Onnx;

/// <summary>
/// Writes and reads the part of a model file that belongs to an ONNX image generator. Beside the <see cref="OnnxImageGeneratorManifest"/>
/// its folder in the zip holds the graphs, where there are any their files of weights, the configurations and the tokenizer's files. ONNX
/// Runtime reads graphs from files, so loading unpacks the folder.
/// </summary>
internal static class OnnxImageGeneratorFile
{
    private static readonly ModelPart<OnnxImageGeneratorManifest> s_part =
        new("ONNXIMAG", OnnxImageGeneratorTransformer.LoaderSignature, "image generator");

    public static void Save(ModelSaveContext context, OnnxImageGeneratorTransformer transformer) => s_part.Write(context, writer =>
    {
        var (generator, options) = (transformer.Generator, transformer.Options);
        using var hold = generator.Decoder.Hold();
        foreach (var (name, content) in generator.Tokenizer?.Files ?? new Dictionary<string, byte[]>())
            writer.AddText(name, content);
        writer.AddText(ModelConfigurationFile.FileName, generator.Decoder.Configuration.ToJsonString());
        foreach (var (name, content) in generator.Decoder.OtherConfigurations)
            writer.AddText(name, content.ToJsonString());
        writer.AddGraphs(generator.Decoder.Graphs.Files);
        return new OnnxImageGeneratorManifest
        {
            Columns = transformer.Columns,
            ThreadCount = options.ThreadCount,
            Generation = options.TextToImage,
            GenerationBatchSize = options.GenerationBatchSize,
            Seed = options.Seed!.Value,
            Files = writer.Files,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static OnnxImageGeneratorTransformer Load(ModelLoadContext context) => s_part.Read(context, reader =>
    {
        var (columns, options) = (reader.Manifest.Columns, reader.Manifest.ToOptions());
        return reader.Unpack(
            folder => OnnxTextToImageGenerator.Load(folder, options.ToRuntimeOptions()),
            (generator, folder) => new OnnxImageGeneratorTransformer(generator, folder, columns, options));
    });
}
