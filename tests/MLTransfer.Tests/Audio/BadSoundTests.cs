using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Audio;

/// <summary>What generators of sounds cannot use is refused, with its name and the remedy, or treated as said.</summary>
public sealed class BadSoundTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void A_codec_and_networks_of_other_kinds_are_refused_by_name()
    {
        var rows = new CountingDataView(Load(TinyAudio.Tunes(1)));
        var codec = Assert.Throws<NotSupportedException>(() => _ml.Transforms.GenerateAudio(
            "Made", "Caption", RepositoryFiles.Data("codecs/encodec-32khz-tiny")).Fit(rows)).Message;
        Assert.Contains("EnCodec", codec, StringComparison.Ordinal);
        Assert.Contains("EnCodecTrainer", codec, StringComparison.Ordinal);
        var text = Assert.Throws<NotSupportedException>(() => _ml.Transforms.FineTuneAudioGenerator(
            "Made", "Caption", "Sound", new() { PretrainedModel = RepositoryFiles.Data("gpt2-tiny") }).Fit(rows)).Message;
        Assert.Contains("'gpt2'", text, StringComparison.Ordinal);
        Assert.Contains("'musicgen' and 'vits'", text, StringComparison.Ordinal);
        Assert.Equal(0, rows.RowsRead);
    }

    [Fact]
    public void A_rate_that_the_schema_tells_is_refused_before_data_is_read()
    {
        var data = Load(TinyAudio.Tunes(2));
        var rows = new CountingDataView(_ml.Transforms.ResampleAudio("Sound", 8000, channels: 2).Fit(data).Transform(data));
        var message = Assert.Throws<ArgumentException>(() => Fit(rows)).Message;
        Assert.Contains("column 'Sound'", message, StringComparison.Ordinal);
        Assert.Contains("ResampleAudio to 16000 Hz and 1 channel", message, StringComparison.Ordinal);
        Assert.Contains(nameof(GenerateAudioOptions.ConvertSounds), message, StringComparison.Ordinal);
        Assert.Equal(0, rows.RowsRead);
    }

    [Theory]
    [InlineData("rate", "8000 Hz")]
    [InlineData("channels", "2 channel(s)")]
    [InlineData("NaN", "no finite number")]
    [InlineData("missing", "no sound")]
    [InlineData("empty", "no samples")]
    public void A_row_is_refused_by_its_number_before_anything_is_trained(string kind, string reason)
    {
        foreach (var rows in (List<TuneRow>[])[TinyAudio.Tunes(3), TinyAudio.Words(3)])
        {
            rows[2].Sound = kind switch
            {
                "rate" => Tones.Create(200, 8000),
                "channels" => Tones.Create(200, channels: 2),
                "NaN" => new Waveform([.. Enumerable.Repeat(0.1f, 3000), float.NaN], 16000),
                "empty" => new Waveform([], 16000),
                _ => null,
            };
            rows[2].Start = rows[2].Sound;
            var (data, isMusic) = (Load(rows), rows[0].Speaker is null);
            Refuses(() => Fit(data, isMusic ? TinyAudio.MusicOptions() : TinyAudio.SpeechOptions()), "column 'Sound'");
            if (!isMusic)
                continue;
            using var model = _ml.Transforms.GenerateAudio("Made", "Start", TinyAudio.Music, new() { Music = TinyAudio.Short }).Fit(data);
            Refuses(() => TinyAudio.Samples(model.Transform(data)), "column 'Start'");
        }

        void Refuses(Action action, string column)
        {
            var message = Assert.Throws<InvalidOperationException>(action).Message;
            Assert.Contains($"Row 2 (from 0), {column}", message, StringComparison.Ordinal);
            Assert.Contains(reason, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Other_rates_and_channels_are_converted_where_the_options_say_so()
    {
        var rows = TinyAudio.Tunes(3);
        (rows[0].Sound, rows[1].Sound) = (Tones.Create(200, 8000, 2000), Tones.Create(200, channels: 2));
        rows[0].Start = Tones.Create(200, 8000, 320);
        var data = Load(rows);
        using var model = Fit(data, TinyAudio.MusicOptions(o => o.ConvertSounds = true, t => t with { MaximumSteps = 1 }));
        using var goesOn = _ml.Transforms.GenerateAudio(
            "Made", "Start", TinyAudio.Music, new() { Music = TinyAudio.Short, ConvertSounds = true }).Fit(data);
        Assert.All(TinyAudio.Samples(goesOn.Transform(data)), samples => Assert.Equal(8 * 320, samples.Length));
        using var spoken = Fit(Load(Converted()), TinyAudio.SpeechOptions(o => o.ConvertSounds = true));
        Assert.Equal(2, spoken.TrainingResult!.Steps);

        static List<TuneRow> Converted()
        {
            var words = TinyAudio.Words(3);
            words[0].Sound = Tones.Create(200, 8000, 2000, channels: 2);
            return words;
        }
    }

    [Fact]
    public void Silence_and_a_clip_shorter_than_a_frame_are_music_and_counted()
    {
        var rows = TinyAudio.Tunes(4);
        (rows[0].Sound, rows[1].Sound) = (new Waveform(new float[3200], 16000), Tones.Create(300, frames: 100));
        var data = Load(rows);
        var options = TinyAudio.MusicOptions(training: t => t with { MaximumSteps = 1 });
        Assert.Equal(1, _ml.Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", options).DescribeTrainingData(data).SilentSounds);
        using var model = Fit(data, options);
        Assert.Equal(1, model.TrainingResult!.Steps);
    }

    [Theory]
    [InlineData("silence", "silent")]
    [InlineData("short", "samples")]
    [InlineData("text", "no text")]
    [InlineData("long text", "tokens")]
    [InlineData("strange text", "no character")]
    [InlineData("speaker", "no speaker")]
    public void A_row_of_speech_that_teaches_nothing_is_refused(string kind, string reason)
    {
        var rows = TinyAudio.Words(3);
        var row = rows[1];
        _ = kind switch
        {
            "silence" => row.Sound = new Waveform(new float[2000], 16000),
            "short" => row.Sound = Tones.Create(300, frames: 10),
            "text" => (object?)(row.Opening = " "),
            "long text" => row.Opening = string.Concat(Enumerable.Repeat("abc ", 100)),
            "strange text" => row.Opening = "12",
            _ => row.Speaker = "",
        };
        var message = Assert.ThrowsAny<Exception>(() => Fit(Load(rows), TinyAudio.SpeechOptions())).Message;
        Assert.Contains("ow 1", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_columns_are_refused_before_data_is_read()
    {
        var rows = new CountingDataView(Load(TinyAudio.Tunes(2)));
        Refuses<ArgumentException>("'Words'", "Words", TinyAudio.MusicOptions());
        Refuses<ArgumentException>("'Told'", "Caption", TinyAudio.MusicOptions(o => o.CaptionColumnName = "Told"));
        Refuses<ArgumentException>("expected text", "Number", TinyAudio.MusicOptions());
        Refuses<ArgumentException>(nameof(GenerateAudioOptions.CaptionColumnName), null, TinyAudio.SpeechOptions());
        Refuses<ArgumentException>("speaks", "Opening", TinyAudio.SpeechOptions(o => o.SpeakerColumnName = null));
        var message = Assert.Throws<ArgumentException>(() => _ml.Transforms.GenerateAudio("Made", "Start", TinyAudio.Speech).Fit(rows));
        Assert.Contains("speaks texts", message.Message, StringComparison.Ordinal);
        Assert.Contains("no rows", Assert.Throws<ArgumentException>(() => Fit(Load([]))).Message, StringComparison.Ordinal);
        Assert.Equal(0, rows.RowsRead);

        void Refuses<T>(string part, string? input, AudioGeneratorOptions options)
            where T : Exception => Assert.Contains(
            part, Assert.Throws<T>(() => _ml.Transforms.FineTuneAudioGenerator("Made", input, "Sound", options).Fit(rows)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Options_of_the_other_kind_are_refused_before_data_is_read()
    {
        var rows = new CountingDataView(Load(TinyAudio.Words(2)));
        Refuses("Speech", TinyAudio.MusicOptions(o => o.Speech = new SpeechOptions()));
        Refuses("SpeakerColumnName", TinyAudio.MusicOptions(o => o.SpeakerColumnName = "Speaker"));
        Refuses("Phonemize", TinyAudio.MusicOptions(o => o.Phonemize = text => text));
        Refuses("AddCharacters", TinyAudio.MusicOptions(o => o.AddCharacters = ["x"]));
        Refuses("NewSpeakersLike is 'ada'", TinyAudio.SpeechOptions(o => o.NewSpeakersLike = "ada"));
        Refuses("NewSpeakersLike is '3'", TinyAudio.SpeechOptions(o => o.NewSpeakersLike = "3"));
        Refuses("SpeechTrainingOptions", TinyAudio.MusicOptions(o => o.Training = new SpeechTrainingOptions()));
        Refuses("Music", TinyAudio.SpeechOptions(o => o.Music = new()));
        Refuses("PhonemeColumnName", TinyAudio.SpeechOptions(o => o.PhonemeColumnName = "Opening"));
        Refuses("AllWeights", TinyAudio.SpeechOptions(o => o.AllWeights = true));
        Refuses("SaveAdapterOnly", TinyAudio.SpeechOptions(o => o.SaveAdapterOnly = true));
        Refuses("LanguageTrainingOptions", TinyAudio.SpeechOptions(o => o.Training = new LanguageTrainingOptions()));
        Assert.Equal(0, rows.RowsRead);

        void Refuses(string option, AudioGeneratorOptions options) => Assert.Contains(
            option, Assert.Throws<ArgumentException>(
                () => _ml.Transforms.FineTuneAudioGenerator("Made", "Opening", "Sound", options).Fit(rows)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_contradict_each_other_are_refused_at_once()
    {
        Refuses("PretrainedModel", o => o.PretrainedModel = null);
        Refuses("Music.Seed", o => o.Music = new() { Seed = 1 });
        Refuses("GenerationBatchSize", o => o.Music = new() { BatchSize = 9 });
        Refuses("AllWeights", o => (o.AllWeights, o.Lora) = (true, new LoraOptions()));
        Refuses("Training.Seed", o => o.Training = new MusicTrainingOptions { Seed = 7 });
        Refuses("EarlyStoppingPatience", o =>
            (o.Training, o.ValidationFraction) = (new MusicTrainingOptions { EarlyStoppingPatience = 1 }, 0));
        Refuses("AddCharacters", o => o.AddCharacters = [""]);
        Refuses("SpeakerColumnName", o => o.NewSpeakersLike = "0");
        Refuses("SeedColumnName", o => o.SeedColumnName = " ");

        void Refuses(string part, Action<AudioGeneratorOptions> change) => Assert.Contains(
            part, Assert.ThrowsAny<ArgumentException>(
                () => _ml.Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", TinyAudio.MusicOptions(change))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Options_of_sampling_without_sampling_are_warned_of()
    {
        List<string> messages = [];
        _ml.Log += (_, entry) => messages.Add(entry.Message);
        var data = Load(TinyAudio.Tunes(1));
        using var plain = Generate(new() { Sample = false });
        Assert.DoesNotContain(messages, message => message.Contains("changes nothing", StringComparison.Ordinal));
        using var model = Generate(new() { Sample = false, TopK = 5, Temperature = 0.5 });
        Assert.Contains(messages, message => message.Contains("Temperature, TopK without Sample", StringComparison.Ordinal));

        AudioGeneratorTransformer Generate(Torch.Generation.Music.MusicGenerationOptions music) =>
            _ml.Transforms.GenerateAudio("Made", "Caption", TinyAudio.Music, new() { Music = music }).Fit(data);
    }

    private IDataView Load(IEnumerable<TuneRow> rows) => _ml.Data.LoadFromEnumerable(rows);

    private AudioGeneratorTransformer Fit(IDataView data, AudioGeneratorOptions? options = null) => _ml.Transforms
        .FineTuneAudioGenerator("Made", "Opening", "Sound", options ?? TinyAudio.MusicOptions()).Fit(data);
}
