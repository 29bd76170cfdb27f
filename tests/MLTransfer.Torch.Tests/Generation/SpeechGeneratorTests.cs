using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public sealed class SpeechGeneratorTests : IDisposable
{
    private readonly VitsModel _model = VitsModel.Load(RepositoryFiles.Data("speech/vits-tiny-speakers"));
    private readonly SpeechTokenizer _tokenizer = SpeechTokenizer.Load(RepositoryFiles.Data("speech/vits-tiny-speakers"));

    private SpeechGenerator Generator => new(_model, _tokenizer);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_text_sounds_the_same_alone_and_beside_others_and_the_seed_of_a_row_decides()
    {
        var options = new SpeechOptions { Seed = 5, NoiseScale = 0.7 };
        var together = Generator.Generate(["hello world", "a longer text than that", "x"], options);
        var alone = Generator.Generate("a longer text than that", options);
        Assert.Equal(together[1].Samples.ToArray(), alone.Samples.ToArray());
        Assert.Equal(_model.SampleRate, alone.SampleRate);

        var rows = Generator.Generate(
            [new SpeechRequest("hello world") { Seed = 5 }, new SpeechRequest("hello world") { Seed = 6 }], options with { Seed = 9 });
        Assert.Equal(together[0].Samples.ToArray(), rows[0].Samples.ToArray());
        Assert.NotEqual(rows[0].Samples.ToArray(), rows[1].Samples.ToArray());
    }

    [Fact]
    public void Speaker_and_rate_are_heard()
    {
        var options = new SpeechOptions { NoiseScale = 0 };
        var usual = Generator.Generate("hello world", options);
        Assert.Equal(usual.Samples.ToArray(), Generator.Generate("hello world", options with { Speaker = 0 }).Samples.ToArray());
        Assert.NotEqual(usual.Samples.ToArray(), Generator.Generate("hello world", options with { Speaker = 2 }).Samples.ToArray());
        Assert.True(Generator.Generate("hello world", options with { SpeakingRate = 2 }).Frames < usual.Frames);
        var voices = Generator.Generate([new SpeechRequest("hello world"), new SpeechRequest("hello world") { Speaker = 2 }], options);
        Assert.NotEqual(voices[0].Samples.ToArray(), voices[1].Samples.ToArray());
    }

    [Fact]
    public void What_nobody_can_say_is_silence_or_refused_before_anything_is_said()
    {
        Assert.Equal(0, Generator.Generate("?!").Frames);
        Assert.Contains(
            "3 voices", Assert.Throws<ArgumentException>(() => Generator.Generate("a", new SpeechOptions { Speaker = 3 })).Message);
        Assert.Contains("SpeakingRate", Assert.Throws<ArgumentOutOfRangeException>(
            () => Generator.Generate("a", new SpeechOptions { SpeakingRate = 0 })).Message);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => Generator.Generate("a", null, cancelled.Token));
        var many = _tokenizer.WithCharacters(["ä"]);
        Assert.Contains("vocab_size", Assert.Throws<ArgumentException>(() => new SpeechGenerator(_model, many)).Message);
        _model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Generator.Generate("a"));
    }
}
