using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Audio;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Extensions.AI.Tests;

public sealed class SpeechTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Speech_is_that_of_a_row_fitted_and_from_a_zip_in_the_voice_that_is_asked_for()
    {
        var rows = _ml.Data.LoadFromEnumerable([new TuneRow { Opening = "abc" }]);
        using var fitted = Speaker(TinyAudio.Speech, rows);
        _ml.Generation.Save(fitted, rows.Schema, _folder["voice.zip"]);
        var expected = fitted.Transform(rows).GetColumn<Waveform>("Made").Single();
        using var client = fitted.AsTextToSpeechClient();
        using var loaded = _ml.Model.Load(_folder["voice.zip"], out _).AsTextToSpeechClient(ownsModel: true);

        foreach (var speaker in (ITextToSpeechClient[])[client, loaded])
        {
            AssertSound(expected, await speaker.GetAudioAsync("abc", new() { AudioFormat = "audio/wav" }));
            var streamed = await speaker.GetStreamingAudioAsync("abc").ToListAsync();
            AssertSound(expected, streamed.ToTextToSpeechResponse());
        }

        var model = (SpeechGenerationModel)_ml.Generation.GetAudioGenerator(fitted);
        AssertSound(
            model.Generate([new SpeechRequest("abc") { Speaker = 2, Seed = 9 }], new() { SpeakingRate = 0.5 })[0],
            await client.GetAudioAsync("abc", new() { VoiceId = "2", Speed = 0.5f, AdditionalProperties = new() { ["seed"] = 9 } }));
        Assert.Contains("no voice 'x'", (await Assert.ThrowsAsync<ArgumentException>(() =>
            client.GetAudioAsync("abc", new() { VoiceId = "x" }))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_there_is_not_is_refused_by_name()
    {
        var rows = _ml.Data.LoadFromEnumerable([new TuneRow { Opening = "abc" }]);
        using var fitted = Speaker(TinyAudio.Voice, rows);
        using var client = fitted.AsTextToSpeechClient();
        foreach (var (name, options) in ((string, TextToSpeechOptions)[])
        [
            ("AudioFormat", new() { AudioFormat = "mp3" }), ("Pitch", new() { Pitch = 2 }), ("Volume", new() { Volume = 0.5f }),
            ("Language", new() { Language = "en" }), ("ModelId", new() { ModelId = "another" }),
        ])
        {
            var refused = await Assert.ThrowsAsync<NotSupportedException>(() => client.GetAudioAsync("abc", options));
            Assert.StartsWith(name, refused.Message, StringComparison.Ordinal);
        }

        using var music = Speaker(TinyAudio.Music, rows);
        Assert.Contains(
            "makes music", Assert.Throws<ArgumentException>(() => music.AsTextToSpeechClient()).Message, StringComparison.Ordinal);
    }

    private AudioGeneratorTransformer Speaker(string model, IDataView rows) =>
        _ml.Transforms.GenerateAudio("Made", "Opening", model).Fit(rows);

    private void AssertSound(Waveform expected, TextToSpeechResponse response)
    {
        var content = Assert.IsType<DataContent>(Assert.Single(response.Contents));
        Assert.Equal("audio/wav", content.MediaType);
        File.WriteAllBytes(_folder["made.wav"], content.Data.ToArray());
        WaveformFile.Write(_folder["expected.wav"], expected);
        Assert.Equal(File.ReadAllBytes(_folder["expected.wav"]), File.ReadAllBytes(_folder["made.wav"]));
    }
}
