using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Audio;

/// <summary>Sounds that a model makes, and the codes of real ones.</summary>
public class AudioGeneratorEvaluationTests
{
    private static readonly string s_music = RepositoryFiles.Data("music/musicgen-small-tiny");
    private static readonly string s_speech = RepositoryFiles.Data("speech/vits-tiny-speakers");
    private readonly MLContext _context = new(seed: 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Of_music_the_loss_of_codes_and_distances_over_the_codec_s_embeddings_are_measured()
    {
        var data = _context.Data.LoadFromEnumerable(Rows(["piano", "a slow march", "drums"], 16000));
        using var transformer = _context.Transforms.GenerateAudio("Made", "Text", s_music, new() { Music = new() { MaximumFrames = 8 } })
            .Fit(data);
        var music = (MusicGenerationModel)transformer.Model;
        var codes = MusicEvaluator.Evaluate(
            music.Network,
            [.. Rows(["piano", "a slow march", "drums"], 16000).Select(row => new MusicExample(row.Text, music.Network.EncodeSound(row.Real!)))],
            music.Tokenizer, cancellationToken: Token);
        var expected = _context.Generation.EvaluateAudio(
            transformer.Transform(data), "Real", "Made",
            new() { FeatureExtractor = new CodecFeatureExtractor(music.Network.Codec), CompareSpeech = false }, cancellationToken: Token);
        var told = 0;

        var metrics = _context.Generation.EvaluateAudio(
            transformer, data, "Real", progress: new Told(() => told++), cancellationToken: Token);

        Assert.Equal(3, told);
        Assert.Equal(codes.CodebookLosses, metrics.Codes!.CodebookLosses);
        Assert.Equal(codes.CodebookLosses.Select(Math.Exp), metrics.Codes.CodebookPerplexities);
        Assert.Equal(expected.FrechetDistance, metrics.FrechetDistance);
        Assert.Equal(expected.KernelDistance, metrics.KernelDistance);
        Assert.True(metrics.FrechetDistance > 0);
        Assert.Null(metrics.Speech);

        var alone = _context.Generation.EvaluateAudio(transformer, data, "Real", new() { CompareGenerated = false }, cancellationToken: Token);
        Assert.Equal((3, codes.Loss, null), (alone.SoundCount, alone.Codes!.Loss, alone.FrechetDistance));
        var one = _context.Generation.EvaluateAudio(transformer, _context.Data.TakeRows(data, 1), "Real", cancellationToken: Token);
        Assert.Null(one.FrechetDistance);
    }

    [Fact]
    public void Of_speech_cepstra_and_pitches_are_compared_with_the_recordings()
    {
        var texts = _context.Data.LoadFromEnumerable(Rows(["hello there my friend", "well well well well"], 16000));
        using var transformer = _context.Transforms.GenerateAudio(
            "Made", "Text", s_speech, new() { Speech = new SpeechOptions { NoiseScale = 0, DurationNoiseScale = 0, SpeakingRate = 0.3 } })
            .Fit(texts);
        var own = transformer.Transform(texts).GetColumn<Waveform>("Made").ToList();
        string[] said = ["hello there my friend", "well well well well"];
        var data = _context.Data.LoadFromEnumerable(said.Zip(own, (text, sound) => new Row { Text = text, Real = sound }));
        var options = new AudioEvaluationOptions { Comparison = new() { FrameLength = 64, HopLength = 16, MelBands = 16 } };
        var chain = new TransformerChain<ITransformer>(_context.Transforms.CopyColumns("Other", "Text").Fit(data), transformer);

        var metrics = _context.Generation.EvaluateAudio(chain, data, "Real", options, cancellationToken: Token);

        Assert.Equal(2, metrics.SoundCount);
        Assert.Equal(0, metrics.Speech!.CepstralDistortion, 1e-6);
        Assert.Equal(metrics.Speech.RealPitch, metrics.Speech.GeneratedPitch);
        Assert.Null(metrics.Codes);
        Assert.Null(metrics.FrechetDistance);
        Assert.Contains("CompareGenerated", Assert.Throws<ArgumentException>(() => _context.Generation.EvaluateAudio(
            transformer, data, "Real", new() { CompareGenerated = false }, cancellationToken: Token)).Message);
    }

    [Fact]
    public void What_a_codec_decodes_is_compared_with_what_it_encoded()
    {
        using var model = _context.Generation.LoadAudioGenerator(s_music, cancellationToken: Token);
        var codec = ((MusicGenerationModel)model).Network.Codec;
        var rows = Rows(["a", "b"], codec.SampleRate);
        var comparison = new ReconstructionComparison(codec.SampleRate);
        foreach (var row in rows)
        {
            using var codes = codec.Encode(row.Real!);
            comparison.Add(row.Real!, codec.DecodeSounds(codes)[0]);
        }

        var metrics = _context.Generation.EvaluateAudio(
            codec, _context.Data.LoadFromEnumerable(rows), "Real", cancellationToken: Token);

        Assert.Equal(comparison.ToDistances(), metrics.Reconstruction);
        Assert.Null(metrics.Speech);
        var other = _context.Data.LoadFromEnumerable(Rows(["a"], 8000));
        Assert.Contains("Row 0", Assert.Throws<ArgumentException>(
            () => _context.Generation.EvaluateAudio(codec, other, "Real", cancellationToken: Token)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => _context.Generation.EvaluateAudio(codec, other, "Real", bandwidth: 77, cancellationToken: Token));
    }

    [Fact]
    public void A_model_without_sounds_is_refused()
    {
        var data = _context.Data.LoadFromEnumerable(Rows(["a"], 16000));
        var other = _context.Transforms.CopyColumns("Other", "Text").Fit(data);

        Assert.Contains("audio generator", Assert.Throws<ArgumentException>(
            () => _context.Generation.EvaluateAudio(other, data, "Real", cancellationToken: Token)).Message);
    }

    private static Row[] Rows(string[] texts, int sampleRate) =>
        [.. texts.Select((text, i) => new Row { Text = text, Real = Tones.Create(200 + 50 * i, sampleRate, frames: 2400 + 300 * i) })];

    private sealed class Told(Action tell) : IProgress<AudioEvaluationProgress>
    {
        public void Report(AudioEvaluationProgress value) => tell();
    }

    private sealed class Row
    {
        public string? Text { get; set; }

        [WaveformType]
        public Waveform? Real { get; set; }
    }
}
