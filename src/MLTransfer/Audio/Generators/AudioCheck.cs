using MLTransfer.Torch.Sounds;

namespace MLTransfer.Audio.Generators;

/// <summary>Whether a sound can be read by a model.</summary>
internal static class AudioCheck
{
    /// <summary>Samples below half a step of 16 bits.</summary>
    private const float Silence = 1f / (1 << 16);

    public static string Remedy(AudioGenerationModel model) =>
        $"Put ResampleAudio to {model.SampleRate} Hz and {model.Channels} channel(s) in front, or set "
        + $"{nameof(GenerateAudioOptions.ConvertSounds)}";

    /// <summary>The sound as the model reads it.</summary>
    /// <exception cref="ArgumentException">It is missing or not usable; the message says why.</exception>
    public static Waveform Read(Waveform? sound, AudioGenerationModel model, bool convertSounds)
    {
        if (sound is null)
            throw new ArgumentException("There is no sound. Leave the row out.");
        if (sound.Frames == 0)
            throw new ArgumentException("The sound has no samples. Leave the row out.");
        sound.CheckFinite();
        if (sound.SampleRate == model.SampleRate && sound.Channels == model.Channels)
            return sound;
        return convertSounds ? sound.Mix(model.Channels).Resample(model.SampleRate) : throw new ArgumentException(
            $"The sound has {sound.Channels} channel(s) at {sound.SampleRate} Hz; the model's have {model.Channels} at "
            + $"{model.SampleRate} Hz. {Remedy(model)}.");
    }

    /// <summary>Whether nothing is to be heard.</summary>
    public static bool IsSilent(Waveform sound) => !sound.Samples.ContainsAnyExceptInRange(-Silence, Silence);
}
