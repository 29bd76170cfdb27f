using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Tests.Training.Audio;

/// <summary>Sounds of notes that fade, and a codec that is soon trained on them.</summary>
internal static class TinyTones
{
    public const int SampleRate = 2000;

    public static Waveform[] Create(int count, int seed, int samples = SampleRate) => [.. Enumerable.Range(seed, count).Select(number =>
    {
        var random = new Random(number);
        var sound = new float[samples];
        for (var note = 0; note < samples; note += 500)
        {
            var frequency = 100 * Math.Pow(2, random.Next(0, 24) / 12.0);
            for (var i = note; i < Math.Min(samples, note + 500); i++)
                sound[i] = (float)(0.5 * Math.Exp((note - i) / 400.0) * Math.Sin(2 * Math.PI * frequency * i / SampleRate));
        }

        return new Waveform(sound, SampleRate);
    })];

    /// <summary>Two codebooks of 32 codewords, for 50 frames a second.</summary>
    public static EnCodecModel Codec(long seed = 1) => EnCodecModel.Create(
        EnCodecModel.Configure(
            SampleRate, bandwidths: [0.25, 0.5], filters: 8, ratios: [8, 5], hiddenWidth: 16, codebookSize: 32, recurrentLayers: 1), seed);
}
