using System.Text.Json.Nodes;
using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Audio.Onnx;

/// <summary>An ONNX export of a MusicGen.</summary>
internal sealed class OnnxMusicModel(OnnxMusicGenerator generator) : OnnxAudioModel
{
    public override int SampleRate => generator.SampleRate;

    public override int Channels => generator.Channels;

    public override bool ReadsSounds => true;

    public override JsonObject Configuration => generator.Decoder.Configuration;

    public override IReadOnlyList<GraphFile> Graphs => generator.Decoder.Graphs;

    public override IReadOnlyDictionary<string, byte[]> TokenizerFiles => generator.Tokenizer?.Files ?? new Dictionary<string, byte[]>();

    public override void Check(OnnxAudioGeneratorOptions options)
    {
        if (options.Speech is not null)
            throw new ArgumentException($"{nameof(options.Speech)} is how a VITS speaks; the export is of a MusicGen. Leave it out.");
    }

    public override UseCount.Hold Hold() => generator.Decoder.Hold();

    public override IReadOnlyList<Waveform> Generate(IReadOnlyList<MusicPrompt> rows, OnnxAudioGeneratorOptions options) =>
        [.. generator.Generate(rows, (options.Music ?? new()) with { BatchSize = rows.Count }).Select(music => music.Sound)];

    public override void Dispose() => generator.Dispose();
}
