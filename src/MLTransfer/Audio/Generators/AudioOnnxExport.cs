using MLTransfer.Logging;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLTransfer.Audio.Generators;

/// <summary>The export of networks that make sounds.</summary>
internal static class AudioOnnxExport
{
    /// <param name="model">The model; adapters are merged into what is written.</param>
    /// <param name="speech">Speaking rate and noise of a VITS; null for those of its configuration.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export.</param>
    /// <param name="options">Null for defaults.</param>
    /// <param name="channel">Told of each file.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <exception cref="ArgumentException">An option has no meaning for the model.</exception>
    public static IReadOnlyList<OnnxExportedFile> Write(
        AudioGenerationModel model, SpeechOptions? speech, string folder, OnnxExportOptions? options, IChannel channel,
        CancellationToken cancellationToken)
    {
        using var hold = model.Hold();
        options ??= new();
        if (model is MusicGenerationModel music)
        {
            return MusicGenExporter.Export(
                music.Network, music.Tokenizer, folder, options, new OnnxExportLog(channel, "outputs"), cancellationToken);
        }

        foreach (var (name, isSet) in ((string, bool)[])
            [
                (nameof(options.Precision), options.Precision != OnnxPrecision.Float32),
                (nameof(options.SeparateAdapter), options.SeparateAdapter), (nameof(options.FileWithoutPast), options.FileWithoutPast),
                (nameof(options.FusedOperators), options.FusedOperators), (nameof(options.Generation), options.Generation is not null),
            ])
        {
            if (isSet)
                throw new ArgumentException($"{name} is set, which has no meaning for a VITS. Leave it out.", nameof(options));
        }

        cancellationToken.ThrowIfCancellationRequested();
        using var merged = model.Network.Lora is null ? null : (SpeechGenerationModel)model.Copy(CPU);
        var spoken = merged ?? (SpeechGenerationModel)model;
        var difference = SpeechExporter.Export(spoken.Network, spoken.Tokenizer, folder, speech, options.TransformersJsFiles);
        var file = new OnnxExportedFile(
            SpeechExporter.ModelFileName, OnnxPrecision.Float32,
            new FileInfo(Path.Combine(folder, SpeechExporter.ModelFileName)).Length, difference);
        new OnnxExportLog(channel, "samples").Report(file);
        return [file];
    }
}
