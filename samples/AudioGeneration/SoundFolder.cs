using MLTransfer.Torch.Sounds;

namespace AudioGeneration;

/// <summary>Writes sounds as WAV files, each with a picture of its waveform and spectrogram beside it.</summary>
internal static class SoundFolder
{
    public static void Write(string folder, string name, Waveform sound)
    {
        Directory.CreateDirectory(folder);
        WaveformFile.Write(Path.Combine(folder, $"{name}.wav"), sound);
        WaveformPlot.Write(Path.Combine(folder, $"{name}.png"), sound);
    }
}
