using System.Globalization;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Models.Tests;

/// <summary>The recordings of <c>samples/AudioGeneration</c>, of a voice that the model does not have.</summary>
internal static class NewVoice
{
    private static readonly MelCepstrum s_cepstrum = new(new MelFilters(16_000, 512, 40), hopLength: 128);

    /// <summary>The first sentences and how they sound.</summary>
    public static (List<string> Texts, List<Waveform> Sounds) Read(int count)
    {
        var folder = Path.Combine(RepositoryFiles.Root, "samples", "AudioGeneration", "data", "voice");
        var texts = File.ReadLines(Path.Combine(folder, "texts.txt")).Take(count).ToList();
        return (texts, [
            .. texts.Select((_, i) => WaveformFile.Read(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{i:D2}.ogg")))),
        ]);
    }

    /// <summary>The mel-cepstral distortion in decibels, as <c>EvaluateAudio</c> measures it.</summary>
    public static double Distance(Waveform recording, Waveform sound) => s_cepstrum.Compare(recording.Samples, sound.Samples).Aligned;
}
