using System.Text.Json.Nodes;
using MLTransfer.Cards;
using MLTransfer.Logging;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLTransfer.Audio.Generators;

/// <summary>The audio generator that training or generation starts from, in memory of its own.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Model">The model; belongs to whom this was made for.</param>
/// <param name="Folder">Where it is in Hugging Face layout; null where it is in no folder.</param>
internal sealed record AudioBaseModel(string Name, AudioGenerationModel Model, string? Folder = null)
{
    /// <summary>What an error calls a model without one, after "The model has".</summary>
    public const string Wanted = "no audio generator";

    /// <summary>Loads what the options name: a model zip, a folder, a model of a hub or an embedded one.</summary>
    public static AudioBaseModel Load(
        IHostEnvironment environment, string name, GenerateAudioOptions options, IChannel channel, CancellationToken cancellationToken)
    {
        var device = ComputeDevice.Of(environment);
        if (!ModelZip.Is(name))
        {
            var folder = PretrainedModels.ResolveFolder(name, revision: null, new DownloadLog(channel), cancellationToken);
            var loaded = LoadFolder(folder, device, options.Phonemize, options.Romanize);
            loaded.Card = new ModelCard(BaseOrigin.Read(name, folder));
            return new AudioBaseModel(name, loaded, folder);
        }

        var transformer = ModelZip.Take<AudioGeneratorTransformer>(environment, name, Wanted);
        using var adapted = transformer.Model.Network.Lora is null ? null : transformer;
        var model = adapted is null ? transformer.Model : transformer.Model.Copy(device); // adapters become part of the weights
        model.Card ??= new ModelCard(BaseOrigin.ReadFile(name));
        return new AudioBaseModel(name, Reading(model, options));
    }

    /// <summary>Copies the model of a transformer, or of a chain with one, which stays as it is.</summary>
    /// <exception cref="ArgumentException">There is no audio generator.</exception>
    public static AudioBaseModel CopyOf(ITransformer transformer, GenerateAudioOptions options, Device device) => new(
        "the loaded model",
        Reading(TransformerChain.Find<AudioGeneratorTransformer>(transformer, Wanted).Found.CopyModel(device), options));

    /// <summary>Loads a folder in Hugging Face layout.</summary>
    /// <exception cref="NotSupportedException">It holds another kind of network, which the message names.</exception>
    public static AudioGenerationModel LoadFolder(
        string folder, Device device, Func<string, string>? phonemize = null, Func<string, string>? romanize = null)
    {
        if (ModelTypeOf(ModelConfigurationFile.Read(folder), folder) == MusicGenConfiguration.ModelType)
        {
            string[] tokenizers = [TokenizerFiles.Tokenizer, .. TokenizerFiles.SentencePieces];
            var tokenizer = tokenizers.Any(name => File.Exists(Path.Combine(folder, name))) ? TextTokenizer.Load(folder) : null;
            return new MusicGenerationModel(MusicGenModel.Load(folder, device: device), tokenizer);
        }

        var characters = SpeechTokenizer.Load(folder, phonemize, romanize);
        var path = Path.Combine(folder, SpeakerFile.FileName);
        var speakers = File.Exists(path) ? SpeakerFile.Read(FileKind.Configuration.Read(path), path) : null;
        var network = VitsModel.Load(folder, device: device);
        return Ownership.Pass(network, () => new SpeechGenerationModel(network, characters, speakers));
    }

    /// <summary>The kind of audio generator that a configuration describes.</summary>
    /// <exception cref="NotSupportedException">It describes none.</exception>
    public static string ModelTypeOf(JsonObject configuration, string origin) => configuration["model_type"]?.ToString() switch
    {
        (MusicGenConfiguration.ModelType or VitsConfiguration.ModelType) and var kind => kind,
        EnCodecConfiguration.ModelType => throw new NotSupportedException(
            $"{origin} is an EnCodec, a codec: it makes codes of sounds and sounds of codes, but generates none. Give a MusicGen, "
            + "which has "
            + "a codec inside. A codec is trained by EnCodecTrainer."),
        null => throw new NotSupportedException(
            $"{origin}: {ModelConfigurationFile.FileName} names no model_type; audio generators are {Kinds}."),
        var other => throw new NotSupportedException($"{origin} is a network of model_type '{other}'; audio generators are {Kinds}."),
    };

    private const string Kinds = $"'{MusicGenConfiguration.ModelType}' and '{VitsConfiguration.ModelType}'";

    /// <summary>The model with functions that read texts, which no file keeps.</summary>
    private static AudioGenerationModel Reading(AudioGenerationModel model, GenerateAudioOptions options) =>
        model is SpeechGenerationModel speech && (options.Phonemize ?? options.Romanize) is not null
            ? new SpeechGenerationModel(
                speech.Network,
                SpeechTokenizer.Read(
                    speech.Tokenizer.Files, options.Phonemize ?? speech.Tokenizer.Phonemize, options.Romanize ?? speech.Tokenizer.Romanize),
                speech.Speakers) { Card = speech.Card }
            : model;
}
