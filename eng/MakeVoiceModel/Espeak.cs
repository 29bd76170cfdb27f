using System.ComponentModel;
using System.Diagnostics;
using MLTransfer.Torch.Sounds;

namespace MakeVoiceModel;

/// <summary>Speaks by the program espeak-ng (Debian package <c>espeak-ng</c>).</summary>
internal static class Espeak
{
    /// <summary>Samples a second of what this class gives.</summary>
    public const int SampleRate = 16000;

    private const float Loudest = 0.7f;

    /// <summary>What is softer than this share of the loudest sample, at the start and the end, is silence.</summary>
    private const float Silence = 0.02f;

    private const double SilenceSeconds = 0.03;

    /// <summary>Of noise that is added: the zeros between a synthesizer's words are no silence that anybody records.</summary>
    private const float Noise = 0.002f;

    /// <summary>Speaks a text, into a file that is kept: one that is there already is read.</summary>
    /// <exception cref="InvalidOperationException">The program is missing, or has no such voice.</exception>
    public static Waveform Speak(string voice, string text, string file)
    {
        if (File.Exists(file))
            return WaveformFile.Read(file);
        var raw = file + ".raw.wav";
        try
        {
            Run("-v", voice, "-w", raw, text);
            WaveformFile.Write(file, Trim(WaveformFile.Read(raw).Resample(SampleRate)));
        }
        finally
        {
            File.Delete(raw);
        }

        return WaveformFile.Read(file);
    }

    private static void Run(params string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("espeak-ng", arguments) { RedirectStandardError = true })!;
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException(
                "The program espeak-ng, which speaks the texts to learn from, is not there. Install it: apt-get install espeak-ng.");
        }

        using (process)
        {
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"espeak-ng {string.Join(' ', arguments)} failed: {error.Trim()}");
        }
    }

    /// <summary>Without the silence around it, and with the same loudest sample.</summary>
    private static Waveform Trim(Waveform sound)
    {
        var samples = sound.Samples;
        var loudest = 1e-6f;
        foreach (var sample in samples)
            loudest = Math.Max(loudest, Math.Abs(sample));
        var (first, last) = (0, samples.Length - 1);
        while (first < last && Math.Abs(samples[first]) < Silence * loudest)
            first++;
        while (last > first && Math.Abs(samples[last]) < Silence * loudest)
            last--;
        var margin = (int)(SilenceSeconds * SampleRate);
        var kept = samples[Math.Max(0, first - margin)..Math.Min(samples.Length, last + margin)].ToArray();
        var random = new Random(kept.Length);
        for (var i = 0; i < kept.Length; i++)
            kept[i] = kept[i] * Loudest / loudest + Noise * (random.NextSingle() - 0.5f);
        return new Waveform(kept, SampleRate);
    }
}
