using System.Text.Json.Nodes;
using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Audio.Onnx;

/// <summary>An ONNX export of a network that makes sounds.</summary>
internal abstract class OnnxAudioModel : IDisposable
{
    public abstract int SampleRate { get; }

    public abstract int Channels { get; }

    /// <summary>Whether sounds can be prompts.</summary>
    public abstract bool ReadsSounds { get; }

    /// <summary>The content of <c>config.json</c>.</summary>
    public abstract JsonObject Configuration { get; }

    /// <summary>The graphs and the files of their weights; the first is the one that options name.</summary>
    public abstract IReadOnlyList<GraphFile> Graphs { get; }

    /// <summary>The tokenizer's files.</summary>
    public abstract IReadOnlyDictionary<string, byte[]> TokenizerFiles { get; }

    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder is no export.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or files do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The export is of another network.</exception>
    public static OnnxAudioModel Load(string folder, OnnxRuntimeOptions options)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}' to load an ONNX export from.");
        return new ConfigurationReader(ModelConfigurationFile.Read(folder), folder).Text("model_type", "") switch
        {
            MusicGenConfiguration.ModelType => new OnnxMusicModel(OnnxMusicGenerator.Load(folder, options)),
            VitsConfiguration.ModelType => new OnnxSpeechModel(OnnxSpeechGenerator.Load(folder, options)),
            var other => throw new NotSupportedException(
                $"The folder '{folder}' has the export of a '{other}' (model_type of config.json); sounds are made by a "
                + $"{MusicGenConfiguration.ModelType} or a {VitsConfiguration.ModelType}. Of texts see LoadOnnx."),
        };
    }

    /// <exception cref="ArgumentException">Options are given that this network has no use for.</exception>
    public abstract void Check(OnnxAudioGeneratorOptions options);

    public abstract UseCount.Hold Hold();

    /// <summary>Makes the sounds of rows, each as if it were alone.</summary>
    public abstract IReadOnlyList<Waveform> Generate(IReadOnlyList<MusicPrompt> rows, OnnxAudioGeneratorOptions options);

    public abstract void Dispose();
}
