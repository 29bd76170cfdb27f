using MLTransfer.Audio.Generators;
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
        if (model.Speakers.Count > 0)
            writer.AddText(SpeakerFile.FileName, SpeakerFile.Format(model.Speakers));
        writer.AddGraphs(model.Graphs);
        return new OnnxAudioGeneratorManifest
        {
            Output = transformer.Output,
            Input = transformer.Input,
            ModelFile = model.Graphs[0].Name,
            ThreadCount = options.ThreadCount,
            Music = options.Music,
            Speech = options.Speech,
            SpeakerColumn = options.SpeakerColumnName,
            Seed = options.Seed!.Value,
            GenerationBatchSize = options.GenerationBatchSize,
            Files = writer.Files,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static OnnxAudioGeneratorTransformer Load(ModelLoadContext context) => s_part.Read(context, reader =>
    {
        var (manifest, options) = (reader.Manifest, reader.Manifest.ToOptions());
        return reader.Unpack(
            folder => OnnxAudioModel.Load(folder, options.ToRuntimeOptions()),
            (model, folder) => new OnnxAudioGeneratorTransformer(model, folder, manifest.Output, manifest.Input, options));
    });
}
