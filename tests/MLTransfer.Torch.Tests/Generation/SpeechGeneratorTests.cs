using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public sealed class SpeechGeneratorTests : IDisposable
{
    private readonly VitsModel _model = VitsModel.Load(RepositoryFiles.Data("speech/vits-tiny-speakers"));
    private readonly SpeechTokenizer _tokenizer = SpeechTokenizer.Load(RepositoryFiles.Data("speech/vits-tiny-speakers"));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_text_sounds_the_same_alone_and_beside_others_and_the_seed_of_a_row_decides()
    {
        var options = new SpeechOptions { Seed = 5, NoiseScale = 0.7 };
        var together = Say(
            [new("hello world"), new("a longer text than that"), new("x")], options);
        var alone = Say("a longer text than that", options);
        Assert.Equal(together[1].Samples.ToArray(), alone.Samples.ToArray());
        Assert.Equal(_model.SampleRate, alone.SampleRate);

        var rows = Say(
            [new SpeechRequest("hello world") { Seed = 5 }, new SpeechRequest("hello world") { Seed = 6 }], options with { Seed = 9 });
        Assert.Equal(together[0].Samples.ToArray(), rows[0].Samples.ToArray());
        Assert.NotEqual(rows[0].Samples.ToArray(), rows[1].Samples.ToArray());
    }

    [Fact]
    public void Speaker_and_rate_are_heard()
    {
        var options = new SpeechOptions { NoiseScale = 0 };
        var usual = Say("hello world", options);
        Assert.Equal(usual.Samples.ToArray(), Say("hello world", options with { Speaker = 0 }).Samples.ToArray());
        Assert.NotEqual(usual.Samples.ToArray(), Say("hello world", options with { Speaker = 2 }).Samples.ToArray());
        Assert.True(Say("hello world", options with { SpeakingRate = 2 }).Frames < usual.Frames);
        var voices = Say([new SpeechRequest("hello world"), new SpeechRequest("hello world") { Speaker = 2 }], options);
        Assert.NotEqual(voices[0].Samples.ToArray(), voices[1].Samples.ToArray());
    }

    [Fact]
    public void What_nobody_can_say_is_silence_or_refused_before_anything_is_said()
    {
        Assert.Equal(0, Say("?!").Frames);
        Assert.Contains(
            "3 voices", Assert.Throws<ArgumentException>(() => Say("a", new SpeechOptions { Speaker = 3 })).Message);
        Assert.Contains("SpeakingRate", Assert.Throws<ArgumentOutOfRangeException>(
            () => Say("a", new SpeechOptions { SpeakingRate = 0 })).Message);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => new SpeechGenerator(_model, _tokenizer).Generate("a", null, cancelled.Token));
        var many = _tokenizer.WithCharacters(["ä"]);
        Assert.Contains("vocab_size", Assert.Throws<ArgumentException>(() => new SpeechGenerator(_model, many)).Message);
        _model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Say("a"));
    }

    private Waveform Say(string text, SpeechOptions? options = null) => Say([new SpeechRequest(text)], options)[0];

    private IReadOnlyList<Waveform> Say(IReadOnlyList<SpeechRequest> texts, SpeechOptions? options) =>
        new SpeechGenerator(_model, _tokenizer).Generate(texts, options, TestContext.Current.CancellationToken);
}
