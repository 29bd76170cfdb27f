using MLTransfer.Audio.Generators;
using MLTransfer.Cards;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer;

/// <summary>A MusicGen with its tokenizer: music from captions, or that goes on from sounds.</summary>
public sealed class MusicGenerationModel : AudioGenerationModel
{
    private readonly MusicGenerator _generator;

    /// <summary>Puts a network and a tokenizer together.</summary>
    /// <param name="network">The network; disposed with this object.</param>
    /// <param name="tokenizer">The tokenizer of its text encoder; null where no captions are given.</param>
    public MusicGenerationModel(MusicGenModel network, TextTokenizer? tokenizer)
    {
        ArgumentNullException.ThrowIfNull(network);
        (Network, Tokenizer, _generator) = (network, tokenizer, new MusicGenerator(network, tokenizer));
    }

    /// <inheritdoc/>
    public override MusicGenModel Network { get; }

    /// <summary>The tokenizer of captions; null where the folder had none.</summary>
    public TextTokenizer? Tokenizer { get; }

    /// <inheritdoc/>
    public override int SampleRate => Network.SampleRate;

    /// <inheritdoc/>
    public override int Channels => Network.Channels;

    internal override string Kind => "a MusicGen";

    internal override CardKind CardKind => new("music generator", "transformers", "text-to-audio", MusicGenConfiguration.ModelType);

    /// <summary>Generates music.</summary>
    /// <inheritdoc cref="MusicGenerator.Generate"/>
    public IReadOnlyList<GeneratedMusic> Generate(
        IReadOnlyList<MusicPrompt> prompts, MusicGenerationOptions? options = null, IProgress<MusicGenerationProgress>? progress = null,
        CancellationToken cancellationToken = default) => _generator.Generate(prompts, options, progress, cancellationToken);

    internal override MusicGenerationModel Copy(Device device)
    {
        using var hold = Hold();
        var copy = Network.Copy(device);
        return Ownership.Pass(copy, () =>
        {
            if (Network.Lora is not null)
            {
                PeftAdapterFolder.Copy(Network, copy);
                LowRankAdaptation.Merge(copy);
            }

            return new MusicGenerationModel(copy, Tokenizer) { Card = Card };
        });
    }

    internal override IReadOnlyList<Waveform> Generate(
        IReadOnlyList<AudioRequest> requests, AudioGeneration generation, CancellationToken cancellationToken)
    {
        var options = (generation.Music ?? new MusicGenerationOptions()) with { BatchSize = requests.Count };
        var prompts = requests.Select(request => new MusicPrompt
        {
            Text = request.Text,
            Sound = request.Sound is { } sound && generation.ConvertSounds ? sound.Mix(Channels).Resample(SampleRate) : request.Sound,
            Seed = request.Seed,
        });
        return [.. _generator.Generate([.. prompts], options, cancellationToken: cancellationToken).Select(music => music.Sound)];
    }

    internal override void Save(string folder, WeightType weightType)
    {
        using var hold = Hold();
        using var merged = Network.Lora is null ? null : Copy(Network.Device);
        (merged?.Network ?? Network).Save(folder, weightType.ToScalarType());
        Tokenizer?.Save(folder);
    }

    internal override void Write(ModelPartWriter writer, BaseModelReference? adaptersOf, WeightType weightType)
    {
        if (adaptersOf is not null)
        {
            writer.AddText(PeftAdapterFolder.ConfigurationFileName, PeftAdapterFolder.FormatConfiguration(Network, adaptersOf.Id));
            writer.AddWeights(PeftAdapterFolder.WeightsFileName, PeftAdapterFolder.Tensors(Network), weightType.ToScalarType());
            return;
        }

        writer.AddText(ModelConfigurationFile.FileName, Network.Configuration.ToJsonString());
        if (Network.GenerationEntries is { } generation)
            writer.AddText(MusicGenFiles.Generation, generation.ToJsonString());
        foreach (var (name, content) in Tokenizer?.Files ?? new Dictionary<string, byte[]>())
            writer.AddText(name, content);
        writer.AddWeights(AudioGeneratorFile.WeightsName, Network.CheckpointTensors(), weightType.ToScalarType());
    }
}
