using System.Globalization;
using MLTransfer.Audio.Generators;
using MLTransfer.Cards;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer;

/// <summary>A VITS with its tokenizer: speech from texts, in one or several voices.</summary>
public sealed class SpeechGenerationModel : AudioGenerationModel
{
    private readonly SpeechGenerator _generator;

    /// <summary>Puts a network and a tokenizer together.</summary>
    /// <param name="network">The network; disposed with this object.</param>
    /// <param name="tokenizer">The tokenizer that the network was trained with.</param>
    /// <param name="speakers">Names of speakers, with their numbers; null for none.</param>
    /// <exception cref="ArgumentException">The tokenizer has more tokens than the network, or a speaker is none of its.</exception>
    public SpeechGenerationModel(VitsModel network, SpeechTokenizer tokenizer, IReadOnlyDictionary<string, int>? speakers = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(tokenizer);
        (Network, Tokenizer, Speakers) = (network, tokenizer, speakers ?? new Dictionary<string, int>());
        foreach (var (name, number) in Speakers)
        {
            if ((uint)number >= (uint)network.SpeakerCount)
            {
                throw new ArgumentException(
                    $"The speaker '{name}' has the number {number}; the network has {network.SpeakerCount} voices, from 0.",
                    nameof(speakers));
            }
        }

        _generator = new SpeechGenerator(network, tokenizer);
    }

    /// <inheritdoc/>
    public override VitsModel Network { get; }

    /// <summary>The tokenizer.</summary>
    public SpeechTokenizer Tokenizer { get; }

    /// <summary>The numbers of speakers that have a name.</summary>
    public IReadOnlyDictionary<string, int> Speakers { get; }

    /// <inheritdoc/>
    public override int SampleRate => Network.SampleRate;

    /// <inheritdoc/>
    public override int Channels => 1;

    internal override string Kind => "a VITS";

    internal override CardKind CardKind => new("speech generator", "transformers", "text-to-speech", VitsConfiguration.ModelType);

    /// <summary>Speaks texts.</summary>
    /// <inheritdoc cref="SpeechGenerator.Generate(IReadOnlyList{SpeechRequest}, SpeechOptions?, CancellationToken)"/>
    public IReadOnlyList<Waveform> Generate(
        IReadOnlyList<SpeechRequest> requests, SpeechOptions? options = null, CancellationToken cancellationToken = default) =>
        _generator.Generate(requests, options, cancellationToken);

    /// <summary>The number of a speaker; null where there is none of the name.</summary>
    /// <param name="speaker">A name, or a number as a text.</param>
    internal int? FindSpeaker(string speaker)
    {
        if (Speakers.TryGetValue(speaker, out var number))
            return number;
        return int.TryParse(speaker, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < Network.SpeakerCount
            ? number : null;
    }

    internal override SpeechGenerationModel Copy(Device device)
    {
        using var hold = Hold();
        var copy = Network.CopyTo(device);
        return Ownership.Pass(copy, () =>
        {
            if (Network.Lora is not null)
            {
                PeftAdapterFolder.Copy(Network, copy);
                LowRankAdaptation.Merge(copy);
            }

            return new SpeechGenerationModel(copy, Tokenizer, Speakers) { Card = Card };
        });
    }

    internal override IReadOnlyList<Waveform> Generate(
        IReadOnlyList<AudioRequest> requests, AudioGeneration generation, CancellationToken cancellationToken) => _generator.Generate(
        [.. requests.Select(request => new SpeechRequest(request.Text ?? "") { Speaker = request.Speaker, Seed = request.Seed })],
        generation.Speech, cancellationToken);

    internal override void Save(string folder, WeightType weightType)
    {
        using var hold = Hold();
        Network.Save(folder, weightType.ToScalarType());
        Tokenizer.Save(folder);
        if (Speakers.Count > 0)
            AtomicFile.WriteAllText(Path.Combine(folder, SpeakerFile.FileName), SpeakerFile.Format(Speakers));
    }

    internal override void Write(ModelPartWriter writer, BaseModelReference? adaptersOf, WeightType weightType)
    {
        writer.AddText(ModelConfigurationFile.FileName, Network.Configuration.ToJsonString());
        foreach (var (name, content) in Tokenizer.Files)
            writer.AddText(name, content);
        if (Speakers.Count > 0)
            writer.AddText(SpeakerFile.FileName, SpeakerFile.Format(Speakers));
        writer.AddWeights(AudioGeneratorFile.WeightsName, Network.CheckpointTensors(), weightType.ToScalarType());
        if (Network.Discriminator is { } discriminator)
            writer.AddWeights(SpeechDiscriminator.FileName, discriminator.CheckpointTensors());
    }
}
