using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Audio;

/// <summary>Encoding and decoding by a codec of the shape of MusicGen's (facebook/encodec_32khz), with random weights.</summary>
internal static class EnCodecTasks
{
    private const int Seconds = 5;

    public static IEnumerable<SoundTask> Create()
    {
        var configuration = EnCodecModel.Configure(
            sampleRate: 32_000, bandwidths: [2.2], filters: 64, ratios: [8, 5, 4, 4], hiddenWidth: 128, codebookSize: 2048,
            recurrentLayers: 2, isCausal: false);
        configuration["use_conv_shortcut"] = JsonValue.Create(false);
        var codec = EnCodecModel.Create(configuration, seed: 1);
        var plain = new PlainEnCodec(codec);
        using var generator = new Generator(2);
        var sound = randn([1, 1, Seconds * codec.SampleRate], generator: generator) * 0.1;
        var codes = codec.Encode(sound);
        yield return new("EnCodec 32 kHz encodes", Seconds, () => codec.Encode(sound).Dispose(), () => plain.Encode(sound).Dispose());
        yield return new(
            "EnCodec 32 kHz decodes", Seconds, () => codec.Decode(codes).Dispose(), () => plain.Decode(codes.Codes[0]).Dispose());
    }
}
