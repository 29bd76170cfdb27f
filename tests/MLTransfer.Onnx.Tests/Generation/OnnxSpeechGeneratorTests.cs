using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Onnx.Tests.Generation;

public sealed class OnnxSpeechGeneratorTests : IDisposable
{
    private static readonly SpeechOptions s_silent = new() { NoiseScale = 0, DurationNoiseScale = 0, SpeakingRate = 0.9 };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vits-tiny-stochastic", null)]
    [InlineData("vits-tiny-speakers", 2)]
    public void Without_noise_sounds_are_the_engine_s(string name, int? speaker)
    {
        SpeechRequest[] requests = [new("hello there") { Speaker = speaker }, new("a"), new("?!")];
        using var model = VitsModel.Load(RepositoryFiles.Data($"speech/{name}"));
        using var generator = Export(name, s_silent);

        var expected = new SpeechGenerator(model, generator.Tokenizer).Generate(requests, s_silent, Token);

        foreach (var (sound, wanted) in generator.Generate(requests, cancellationToken: Token).Zip(expected))
            AssertClose(wanted, sound);
    }

    [Fact]
    public void Noise_depends_on_seed_and_text_and_not_on_what_was_spoken_before()
    {
        using var generator = Export("vits-tiny-stochastic", new() { NoiseScale = 0.7 });
        var options = new SpeechOptions { Seed = 5 };

        var both = generator.Generate([new("well"), new("hello")], options, Token);
        var alone = generator.Generate([new("hello")], options, Token)[0];
        var other = generator.Generate([new("hello") { Seed = 6 }], options, Token)[0];

        Assert.Equal(both[1].Samples, alone.Samples);
        Assert.False(alone.Samples.SequenceEqual(other.Samples));
    }

    [Fact]
    public void The_noise_of_a_graph_is_standard_normal()
    {
        var draws = SeededNoise.Draw(3);

        Assert.Equal(0, draws.Average(), 0.01);
        Assert.Equal(1, draws.Average(draw => draw * draw), 0.01);
    }

    [Fact]
    public void What_the_graph_fixes_or_is_not_is_refused_by_name()
    {
        using var generator = Export("vits-tiny-speakers", s_silent);
        Assert.Contains("SpeakingRate", Assert.Throws<ArgumentException>(
            () => generator.Generate([new("a")], new() { SpeakingRate = 2 }, Token)).Message);
        Assert.Contains("voices", Assert.Throws<ArgumentException>(() => generator.Generate([new("a") { Speaker = 99 }], null, Token)).Message);

        File.WriteAllText(_folder["export/model.onnx"], "not a graph");
        Assert.Contains("model.onnx", Assert.Throws<InvalidDataException>(() => OnnxSpeechGenerator.Load(_folder["export"])).Message);
        Export("vits-tiny-stochastic", s_silent).Dispose();
        File.Copy(RepositoryFiles.Data("speech/vits-tiny-speakers/config.json"), _folder["export/config.json"], overwrite: true);
        Assert.Contains("speaker_id", Assert.Throws<InvalidDataException>(() => OnnxSpeechGenerator.Load(_folder["export"])).Message);
    }

    private static void AssertClose(Waveform expected, Waveform sound)
    {
        Assert.Equal((expected.Frames, expected.SampleRate), (sound.Frames, sound.SampleRate));
        for (var i = 0; i < sound.Frames; i++)
            Assert.Equal(expected.Samples[i], sound.Samples[i], 1e-3f);
    }

    private OnnxSpeechGenerator Export(string name, SpeechOptions options)
    {
        var source = RepositoryFiles.Data($"speech/{name}");
        using var model = VitsModel.Load(source);
        SpeechExporter.Export(model, SpeechTokenizer.Load(source), _folder["export"], options);
        return OnnxSpeechGenerator.Load(_folder["export"]);
    }
}
