using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Tests.Audio;

/// <summary>A sound with what is said of it or in it.</summary>
internal sealed class TuneRow
{
    [WaveformType]
    public Waveform? Sound { get; set; }

    [WaveformType]
    public Waveform? Start { get; set; }

    public string? Caption { get; set; }

    public string? Opening { get; set; } // as the process that loads models calls it

    public string? Speaker { get; set; }

    public int Voice { get; set; }

    public long Number { get; set; }
}

/// <summary>Tiny audio generators of random weights, and what they learn.</summary>
internal static class TinyAudio
{
    private static readonly string[] s_captions = ["slow minor flute", "fast drums", "piano", "soft strings"];

    private static readonly string[] s_texts = ["abc", "cab it", "an echo", "dad bed"];

    public static string Music => RepositoryFiles.Data("music/musicgen-small-tiny");

    public static string Stereo => RepositoryFiles.Data("music/musicgen-stereo-tiny");

    /// <summary>Three voices.</summary>
    public static string Speech => RepositoryFiles.Data("speech/vits-tiny-speakers");

    /// <summary>One voice.</summary>
    public static string Voice => RepositoryFiles.Data("speech/vits-tiny-stochastic");

    public static MusicGenerationOptions Short => new() { MaximumFrames = 6, GuidanceScale = 2 };

    public static List<TuneRow> Tunes(int count = 6) =>
    [
        .. Enumerable.Range(0, count).Select(i => new TuneRow
        {
            Sound = Tones.Create(200 + 40 * i, frames: 3200 + 320 * (i % 3)), Caption = s_captions[i % 4], Opening = s_captions[i % 4],
            Start = Tones.Create(300, frames: 640), Number = i,
        }),
    ];

    public static List<TuneRow> Words(int count = 6, string speaker = "anna") =>
    [
        .. Enumerable.Range(0, count).Select(i => new TuneRow
        {
            Sound = Tones.Create(150 + 20 * i, frames: 1600 + 160 * i), Opening = s_texts[i % 4], Speaker = speaker, Voice = 1, Number = i,
        }),
    ];

    public static MusicTrainingOptions MusicTraining => new()
    {
        Precision = Precision.Float32, LearningRate = 1e-3, MaximumSteps = 4, BatchSize = 2,
    };

    public static SpeechTrainingOptions SpeechTraining => new()
    {
        BatchSize = 2, MaximumSteps = 2, SegmentSize = 256, MelBands = 20, DiscriminatorWidth = 8, LearningRate = 1e-3,
    };

    public static AudioGeneratorOptions MusicOptions(
        Action<AudioGeneratorOptions>? change = null, Func<MusicTrainingOptions, MusicTrainingOptions>? training = null)
    {
        var options = new AudioGeneratorOptions
        {
            PretrainedModel = Music, Music = Short, GenerationBatchSize = 3, Training = training?.Invoke(MusicTraining) ?? MusicTraining,
        };
        change?.Invoke(options);
        return options;
    }

    public static AudioGeneratorOptions SpeechOptions(Action<AudioGeneratorOptions>? change = null)
    {
        var options = new AudioGeneratorOptions
        {
            PretrainedModel = Speech, Training = SpeechTraining, SpeakerColumnName = "Speaker", ValidationFraction = 0,
        };
        change?.Invoke(options);
        return options;
    }

    public static List<float[]> Samples(IDataView data, string column = "Made") =>
        [.. data.GetColumn<Waveform>(column).Select(sound => sound.Samples.ToArray())];
}
