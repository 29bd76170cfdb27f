using MLTransfer.Onnx.Generation;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>
/// Writes and reads the part of a model file that belongs to an ONNX text generator. Beside the <see cref="OnnxTextGeneratorManifest"/> its
/// folder in the zip holds the graph, where there are any its files of weights, <c>config.json</c> and the tokenizer's files. ONNX Runtime
/// reads graphs from files, so loading unpacks the folder.
/// </summary>
internal static class OnnxTextGeneratorFile
{
    private static readonly ModelPart<OnnxTextGeneratorManifest> s_part =
        new("ONNXTEXT", OnnxTextGeneratorTransformer.LoaderSignature, "text generator");

    public static void Save(ModelSaveContext context, OnnxTextGeneratorTransformer transformer) => s_part.Write(context, writer =>
    {
        var model = transformer.Model;
        using var hold = model.Hold();
        foreach (var (name, content) in model.Tokenizer.Files)
            writer.AddText(name, content);
        writer.AddText(ModelConfigurationFile.FileName, model.Configuration.ToJsonString());
        writer.AddGraphs(model.Files.Graph);
        return new OnnxTextGeneratorManifest
        {
            Columns = transformer.Columns,
            Generation = transformer.Generation,
            GenerationBatchSize = transformer.GenerationBatchSize,
            PublishedEnds = transformer.PublishedEnds is { Count: > 0 } ends ? ends : null,
            ModelFile = model.Files.Graph[0].Name,
            ThreadCount = model.Options.ThreadCount,
            Files = writer.Files,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static OnnxTextGeneratorTransformer Load(ModelLoadContext context) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var options = new OnnxRuntimeOptions { ModelFile = manifest.ModelFile, ThreadCount = manifest.ThreadCount };
        return reader.Unpack(
            folder => OnnxTextGenerator.Load(folder, options),
            (generator, folder) => new OnnxTextGeneratorTransformer(
                generator, folder, manifest.Columns, manifest.Generation, manifest.GenerationBatchSize, manifest.PublishedEnds ?? []));
    });
}
