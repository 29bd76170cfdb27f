using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using Xunit;

namespace MLTransfer.Tests.Audio;

/// <summary>A VITS is fine-tuned in a pipeline and speaks there.</summary>
public sealed class SpeechFineTuningTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_speaker_gets_a_voice_that_is_kept_by_name()
    {
        var data = _ml.Data.LoadFromEnumerable(TinyAudio.Words());
        using var tuned = _ml.Transforms.FineTuneAudioGenerator("Made", "Opening", "Sound", TinyAudio.SpeechOptions()).Fit(data);

        var model = Assert.IsType<SpeechGenerationModel>(tuned.Model);
        Assert.Equal((4, 3), (model.Network.SpeakerCount, model.Speakers["anna"]));
        Assert.Equal(2, Assert.IsType<SpeechTrainingResult>(tuned.TrainingResult).Steps);
        var made = TinyAudio.Samples(tuned.Transform(data));
        Assert.All(made, samples => Assert.NotEmpty(samples));

        _ml.Model.Save(tuned, data.Schema, _folder["model.zip"]);
        _ml.Generation.SaveModelFolder(tuned, _folder["model"]);
        using var loaded = (AudioGeneratorTransformer)_ml.Model.Load(_folder["model.zip"], out _);
        using var folder = _ml.Transforms.GenerateAudio(
            "Made", "Opening", _folder["model"], new() { SpeakerColumnName = "Speaker" }).Fit(data);
        AssertAlike(made, TinyAudio.Samples(loaded.Transform(data)));
        AssertAlike(made, TinyAudio.Samples(folder.Transform(data)));
        Assert.NotNull(((SpeechGenerationModel)loaded.Model).Network.Discriminator);

        using var further = _ml.Transforms.FineTuneAudioGenerator("Made", "Opening", "Sound", TinyAudio.SpeechOptions(
            o => o.PretrainedModel = _folder["model.zip"])).Fit(data);
        Assert.Equal(4, ((SpeechGenerationModel)further.Model).Network.SpeakerCount); // anna is known
        var stranger = _ml.Data.LoadFromEnumerable(TinyAudio.Words(2, "bob"));
        var message = Assert.Throws<InvalidOperationException>(() => TinyAudio.Samples(tuned.Transform(stranger))).Message;
        Assert.Contains("Row 0 (from 0), column 'Speaker'", message, StringComparison.Ordinal);
        Assert.Contains("anna", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_speaker_begins_with_the_voice_that_is_named()
    {
        using var known = VitsModel.Load(TinyAudio.Speech);
        var table = known.get_parameter("embed_speaker.weight")!;
        Assert.Equal([0f, 0f], [Distance("0", 0), Distance("2", 2)]);
        Assert.NotEqual(0, Distance(null, 2));

        // after steps so short that weights stay as they are to the bit
        float Distance(string? like, int voice)
        {
            using var tuned = _ml.Transforms.FineTuneAudioGenerator("Made", "Opening", "Sound", TinyAudio.SpeechOptions(o =>
            {
                o.NewSpeakersLike = like;
                o.Training = ((SpeechTrainingOptions)o.Training!) with { LearningRate = 1e-30 };
            })).Fit(_ml.Data.LoadFromEnumerable(TinyAudio.Words()));
            using var scope = torch.NewDisposeScope();
            var row = ((SpeechGenerationModel)tuned.Model).Network.get_parameter("embed_speaker.weight")![3];
            return (row - table[voice]).abs().max().item<float>();
        }
    }

    [Fact]
    public void Speakers_are_numbers_keys_or_names()
    {
        var rows = TinyAudio.Words(2);
        var data = _ml.Data.LoadFromEnumerable(rows);
        var keyed = _ml.Transforms.Conversion.MapValueToKey("Key", "Voice").Fit(data).Transform(data);
        rows.ForEach(row => row.Speaker = "1");
        var texts = Speak(_ml.Data.LoadFromEnumerable(rows), "Speaker");

        AssertAlike(texts, Speak(data, "Voice"));
        AssertAlike(texts, Speak(keyed, "Key")); // the key stands for the number 1
        Assert.NotEqual(texts, Speak(data, null));

        List<float[]> Speak(IDataView view, string? column)
        {
            using var model = _ml.Transforms.GenerateAudio(
                "Made", "Opening", TinyAudio.Speech, new() { SpeakerColumnName = column, Seed = 4 }).Fit(view);
            return TinyAudio.Samples(model.Transform(view));
        }
    }

    [Fact]
    public void New_characters_are_learned_beside_adapters()
    {
        var rows = TinyAudio.Words();
        rows.ForEach(row => row.Opening += "ß");
        var data = _ml.Data.LoadFromEnumerable(rows);
        using var tuned = _ml.Transforms.FineTuneAudioGenerator("Made", "Opening", "Sound", TinyAudio.SpeechOptions(o =>
        {
            (o.AddCharacters, o.Lora, o.SpeakerColumnName) = (["ß"], new() { Rank = 2 }, "Voice");
        })).Fit(data);

        var model = (SpeechGenerationModel)tuned.Model;
        Assert.Equal(34, model.Network.VocabularySize);
        Assert.Contains(33, model.Tokenizer.Encode("ß"));
        Assert.Null(model.Network.Lora);
    }

    [Fact]
    public void A_network_of_phonemes_takes_their_column_or_a_function_and_is_refused_without()
    {
        var base_ = _folder["phonemes"];
        Directory.CreateDirectory(base_);
        foreach (var file in Directory.GetFiles(TinyAudio.Speech).Where(file => Path.GetFileName(file) != "forward.safetensors"))
            File.Copy(file, Path.Combine(base_, Path.GetFileName(file)));
        var settings = Path.Combine(base_, "tokenizer_config.json");
        var text = File.ReadAllText(settings);
        File.WriteAllText(settings, text.Replace("\"phonemize\": false", "\"phonemize\": true", StringComparison.Ordinal));
        var rows = TinyAudio.Words(2);
        rows.ForEach(row => row.Caption = row.Opening);
        var data = _ml.Data.LoadFromEnumerable(rows);

        var message = Assert.Throws<ArgumentException>(
            () => _ml.Transforms.GenerateAudio("Made", "Opening", base_).Fit(data)).Message;
        Assert.Contains(nameof(GenerateAudioOptions.PhonemeColumnName), message, StringComparison.Ordinal);
        Assert.Contains(nameof(GenerateAudioOptions.Phonemize), message, StringComparison.Ordinal);

        using var column = _ml.Transforms.GenerateAudio("Made", null, base_, new() { PhonemeColumnName = "Caption", Seed = 2 }).Fit(data);
        using var function = _ml.Transforms.GenerateAudio("Made", "Opening", base_, new() { Phonemize = t => t, Seed = 2 }).Fit(data);
        using var said = _ml.Transforms.GenerateAudio(
            "Made", "Opening", base_, new() { Speech = new SpeechOptions { TextsArePhonemes = true }, Seed = 2 }).Fit(data);
        var made = TinyAudio.Samples(column.Transform(data));
        AssertAlike(made, TinyAudio.Samples(function.Transform(data)));
        AssertAlike(made, TinyAudio.Samples(said.Transform(data)));
        using var tuned = _ml.Transforms.FineTuneAudioGenerator("Made", null, "Sound", TinyAudio.SpeechOptions(
            o => (o.PretrainedModel, o.PhonemeColumnName, o.SpeakerColumnName) = (base_, "Caption", "Voice"))).Fit(data);
        Assert.Equal(2, tuned.TrainingResult!.Steps);
    }

    [Fact]
    public void A_text_of_no_known_character_is_a_sound_without_samples()
    {
        var rows = TinyAudio.Words(2);
        rows[1].Opening = "";
        var data = _ml.Data.LoadFromEnumerable(rows);
        using var model = _ml.Transforms.GenerateAudio("Made", "Opening", TinyAudio.Voice).Fit(data);
        var made = TinyAudio.Samples(model.Transform(data));
        Assert.NotEmpty(made[0]);
        Assert.Empty(made[1]);
    }

    /// <summary>Convolutions of libtorch round as the memory that they get is aligned.</summary>
    private static void AssertAlike(List<float[]> expected, List<float[]> actual)
    {
        Assert.Equal(expected.Select(samples => samples.Length), actual.Select(samples => samples.Length));
        Assert.All(expected.Zip(actual), pair => Assert.All(
            pair.First.Zip(pair.Second), sample => Assert.Equal(sample.First, sample.Second, 1e-5f)));
    }
}
