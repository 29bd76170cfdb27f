using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Audio.Generators;

/// <summary>
/// Writes and reads the part of a model file that belongs to an audio generator. Beside the <see cref="AudioGeneratorManifest"/> its folder
/// in the zip holds what a model's folder holds; or, where only adapters are saved, <c>adapter_config.json</c> and
/// <c>adapter_model.safetensors</c>.
/// </summary>
internal static class AudioGeneratorFile
{
    public const string WeightsName = "model.safetensors";

    private static readonly ModelPart<AudioGeneratorManifest> s_part =
        new("AUDIOGEN", AudioGeneratorTransformer.LoaderSignature, "audio generator");

    public static void Save(ModelSaveContext context, AudioGeneratorTransformer transformer) => s_part.Write(context, writer =>
    {
        using var hold = transformer.Model.Hold();
        transformer.Model.Write(writer, transformer.AdaptersOf, transformer.WeightType);
        return new AudioGeneratorManifest
        {
            Columns = transformer.Columns,
            Generation = transformer.Generation,
            GenerationBatchSize = transformer.GenerationBatchSize,
            WeightType = transformer.WeightType,
            BaseModel = transformer.AdaptersOf,
            Files = writer.Files,
            Card = transformer.Model.Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">
    /// The file holds only adapters, and the model that they need is not there or is another one.
    /// </exception>
    public static AudioGeneratorTransformer Load(ModelLoadContext context, Device device) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var model = ReadModel(reader, device);
        return Ownership.Pass(model, () =>
        {
            model.Card = manifest.Card;
            manifest.ToOptions().CheckFor(model);
            return new AudioGeneratorTransformer(
                model, manifest.Columns, manifest.Generation, manifest.GenerationBatchSize, manifest.WeightType)
            {
                AdaptersOf = manifest.BaseModel,
            };
        });
    });

    private static AudioGenerationModel ReadModel(ModelPartReader<AudioGeneratorManifest> reader, Device device)
    {
        if (reader.Manifest.BaseModel is { } adapted)
            return ReadAdapted(reader, adapted, device);
        var configuration = reader.ReadJson(ModelConfigurationFile.FileName);
        var files = reader.Manifest.Files.Select(file => file.Name).ToHashSet();
        using var weights = reader.ReadWeights(WeightsName);
        if (AudioBaseModel.ModelTypeOf(configuration, reader.Origin) == VitsConfiguration.ModelType)
        {
            var tokenizer = SpeechTokenizer.Read(Tokenizer(), phonemize: null, romanize: null);
            var speakers = files.Contains(SpeakerFile.FileName)
                ? SpeakerFile.Read(reader.ReadBytes(SpeakerFile.FileName, FileKind.Configuration), reader.Origin) : null;
            var network = VitsModel.Load(configuration, weights, reader.Origin, dataType: null, device);
            return Ownership.Pass(network, () =>
            {
                if (files.Contains(SpeechDiscriminator.FileName))
                {
                    using var discriminator = reader.ReadWeights(SpeechDiscriminator.FileName);
                    network.Discriminator = SpeechDiscriminator.Load(discriminator, device);
                }

                return new SpeechGenerationModel(network, tokenizer, speakers);
            });
        }

        var captions = Tokenizer() is { Count: > 0 } found ? TextTokenizer.Load(found) : null;
        var generation = files.Contains(MusicGenFiles.Generation) ? reader.ReadJson(MusicGenFiles.Generation) : null;
        return new MusicGenerationModel(
            MusicGenModel.Load(configuration, weights, reader.Origin, dataType: null, device, generation), captions);

        Dictionary<string, byte[]> Tokenizer() => files
            .Where(name => name is not (WeightsName or ModelConfigurationFile.FileName or MusicGenFiles.Generation or SpeakerFile.FileName
                or SpeechDiscriminator.FileName))
            .ToDictionary(name => name, name => reader.ReadBytes(name, FileKind.Tokenizer));
    }

    private static AudioGenerationModel ReadAdapted(
        ModelPartReader<AudioGeneratorManifest> reader, BaseModelReference baseModel, Device device)
    {
        var configuration = reader.ReadJson(PeftAdapterFolder.ConfigurationFileName);
        using var adapters = reader.ReadWeights(PeftAdapterFolder.WeightsFileName);
        var model = AudioBaseModel.LoadFolder(baseModel.Find(), device);
        return Ownership.Pass(model, () =>
        {
            PeftAdapterFolder.Load(model.Network, configuration, adapters, reader.Origin);
            return model;
        });
    }
}
