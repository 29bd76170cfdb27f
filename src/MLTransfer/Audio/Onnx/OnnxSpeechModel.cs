using MLTransfer.Audio.Generators;
using System.Text.Json.Nodes;
using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Audio.Onnx;

/// <summary>An ONNX export of a VITS.</summary>
/// <param name="generator">Speaks; disposed with this object.</param>
/// <param name="speakers">The numbers of speakers that have a name.</param>
internal sealed class OnnxSpeechModel(OnnxSpeechGenerator generator, IReadOnlyDictionary<string, int> speakers) : OnnxAudioModel
{
    public override int SampleRate => generator.SampleRate;

    public override int Channels => 1;

    public override bool ReadsSounds => false;

    public override IReadOnlyDictionary<string, int> Speakers => speakers;

    public override int SpeakerCount => generator.SpeakerCount;

    public override JsonObject Configuration => generator.Decoder.Configuration;

    public override IReadOnlyList<GraphFile> Graphs => generator.Files.Graph;

    public override IReadOnlyDictionary<string, byte[]> TokenizerFiles => generator.Tokenizer.Files;

    public override void Check(OnnxAudioGeneratorOptions options)
    {
        if (options.Music is not null)
            throw new ArgumentException($"{nameof(options.Music)} is how a MusicGen generates; the export is of a VITS. Leave it out.");
        if (options.Speech is { } speech)
            generator.Decoder.Check(speech);
    }

    public override UseCount.Hold Hold() => generator.Decoder.Hold();

    public override IReadOnlyList<Waveform> Generate(IReadOnlyList<AudioRequest> rows, OnnxAudioGeneratorOptions options) =>
        generator.Generate(
            [.. rows.Select(row => new SpeechRequest(row.Text ?? "") { Speaker = row.Speaker, Seed = row.Seed })], options.Speech);

    /// <inheritdoc cref="OnnxSpeechGenerator.Generate"/>
    public Waveform Speak(SpeechRequest request, SpeechOptions? options, CancellationToken cancellationToken) =>
        generator.Generate([request], options, cancellationToken)[0];

    public override void Dispose() => generator.Dispose();
}
