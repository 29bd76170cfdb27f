using MLTransfer.Torch.Sounds;

namespace MLTransfer.Tests.Audio;

/// <summary>A row with a sound.</summary>
internal sealed class SoundRow
{
    [WaveformType]
    public Waveform? Sound { get; set; }

    public string? File { get; set; }

    public float Pitch { get; set; }
}

/// <summary>Sine tones, and files of them.</summary>
internal static class Tones
{
    public static Waveform Create(double frequency, int sampleRate = 16000, int frames = 4000, int channels = 1) => new(
        [.. Enumerable.Range(0, channels * frames)
            .Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * frequency * (i % frames) / sampleRate)))],
        sampleRate, channels);

    /// <summary>Tones of 200, 210, ... Hz.</summary>
    public static IReadOnlyList<SoundRow> Rows(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new SoundRow { Sound = Create(200 + 10 * i), File = $"{i}.wav", Pitch = 200 + 10 * i })];

    /// <summary>Writes files of the rows' names.</summary>
    public static IReadOnlyList<SoundRow> Write(string folder, int count)
    {
        foreach (var row in Rows(count))
            WaveformFile.Write(Path.Combine(folder, row.File!), row.Sound!, WaveEncoding.Float32);
        return [.. Rows(count).Select(row => new SoundRow { File = row.File, Pitch = row.Pitch })];
    }
}
