using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML;

namespace MLTransfer.Audio.Onnx;

/// <summary>
/// Writes and reads the part of a model file that belongs to an ONNX audio generator. Beside the <see cref="OnnxAudioGeneratorManifest"/>
/// its folder in the zip holds the graphs, where there are any their files of weights, <c>config.json</c> and the tokenizer's files. ONNX
/// Runtime reads graphs from files, so loading unpacks the folder.
/// </summary>
internal static class OnnxAudioGeneratorFile
{
    private static readonly ModelPart<OnnxAudioGeneratorManifest> s_part =
        new("ONNXAUDI", OnnxAudioGeneratorTransformer.LoaderSignature, "audio generator");

    public static void Save(ModelSaveContext context, OnnxAudioGeneratorTransformer transformer) => s_part.Write(context, writer =>
    {
        var (model, options) = (transformer.Model, transformer.Options);
        using var hold = model.Hold();
        foreach (var (name, content) in model.TokenizerFiles)
            writer.AddText(name, content);
        writer.AddText(ModelConfigurationFile.FileName, model.Configuration.ToJsonString());
        foreach (var file in model.Graphs)
        {
            using var source = file.Open();
            writer.Add(file.Name, source.CopyTo);
        }

        return new OnnxAudioGeneratorManifest
        {
            Output = transformer.Output,
            Input = transformer.Input,
            ModelFile = model.Graphs[0].Name,
            ThreadCount = options.ThreadCount,
            Music = options.Music,
            Speech = options.Speech,
            Seed = options.Seed!.Value,
            GenerationBatchSize = options.GenerationBatchSize,
            Files = writer.Files,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static OnnxAudioGeneratorTransformer Load(ModelLoadContext context) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        reader.Find(ModelConfigurationFile.FileName);
        var folder = new TemporaryModelFolder();
        return Ownership.Pass(folder, () =>
        {
            reader.Extract(folder.Path);
            var options = manifest.ToOptions();
            var model = Load(reader.Origin, folder.Path, options);
            return Ownership.Pass(
                model, () => new OnnxAudioGeneratorTransformer(model, folder, manifest.Output, manifest.Input, options));
        });
    });

    private static OnnxAudioModel Load(string origin, string folder, OnnxAudioGeneratorOptions options)
    {
        try
        {
            return OnnxAudioModel.Load(folder, options.ToRuntimeOptions());
        }
        catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException)
        {
            throw new InvalidDataException($"{origin} is damaged: {exception.Message}", exception);
        }
    }
}
