using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Audio;

/// <summary>Two columns of sounds, whatever made them.</summary>
public class AudioEvaluationTests
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void Pairs_are_compared_as_the_engine_compares_them()
    {
        var comparison = new SpeechComparison(16000);
        var pairs = Pairs(3);
        foreach (var pair in pairs)
            comparison.Add(pair.Real!, pair.Generated!);
        var told = new List<int>();

        var metrics = _context.Generation.EvaluateAudio(
            _context.Data.LoadFromEnumerable(pairs), "Real", "Generated",
                progress: new Told<AudioEvaluationProgress>(p => told.Add(p.SoundCount)));

        Assert.Equal(3, metrics.SoundCount);
        Assert.Equal(comparison.ToDistances(), metrics.Speech);
        Assert.Equal([1, 2, 3], told);
        Assert.Null(metrics.FrechetDistance);
        Assert.Null(metrics.Codes);
        Assert.Null(metrics.Reconstruction);
    }

    [Fact]
    public void Distances_over_features_are_those_of_the_formula()
    {
        // one feature: (m1 - m2)^2 + (s1 - s2)^2
        var loudness = new DelegateAudioFeatureExtractor(16000, sound => sound.square().mean().sqrt().view(1, 1));
        var pairs = Pairs(4);

        var metrics = _context.Generation.EvaluateAudio(
            _context.Data.LoadFromEnumerable(pairs), "Real", "Generated",
            new() { FeatureExtractor = loudness, CompareSpeech = false, CompareReconstruction = true });

        var (real, generated) = (Moments(pairs.Select(pair => pair.Real!)), Moments(pairs.Select(pair => pair.Generated!)));
        var expected = Math.Pow(real.Mean - generated.Mean, 2) + Math.Pow(real.Deviation - generated.Deviation, 2);
        Assert.Equal(expected, metrics.FrechetDistance!.Value, expected * 1e-4);
        Assert.NotNull(metrics.KernelDistance);
        Assert.Null(metrics.Speech);
        Assert.NotNull(metrics.Reconstruction);

        static (double Mean, double Deviation) Moments(IEnumerable<Waveform> sounds)
        {
            double[] values = [.. sounds.Select(sound => Math.Sqrt(sound.Samples.ToArray().Average(sample => (double)sample * sample)))];
            var mean = values.Average();
            return (mean, Math.Sqrt(values.Sum(value => Math.Pow(value - mean, 2)) / (values.Length - 1)));
        }
    }

    [Fact]
    public void What_is_wrong_is_told_with_row_and_column()
    {
        var pairs = Pairs(2);
        Refused("'Absent'", pairs, real: "Absent");
        Refused("'Name'", pairs, real: "Name");
        Refused("no sounds to compare", []);
        pairs[1].Generated = null;
        Refused("Row 1", pairs);
        pairs[1].Generated = new Waveform(new float[100], 16000);
        Refused("too short", pairs);
        pairs[1].Generated = new Waveform([.. Enumerable.Repeat(float.NaN, 4000)], 16000);
        Refused("frame 0", pairs);
        Assert.Contains("HopLength", Assert.Throws<ArgumentException>(() => _context.Generation.EvaluateAudio(
            _context.Data.LoadFromEnumerable(Pairs(1)), "Real", "Generated", new() { Comparison = new() { HopLength = 0 } })).Message);
        var one = new AudioEvaluationOptions { FeatureExtractor = new DelegateAudioFeatureExtractor(16000, sound => sound.mean([0])) };
        Assert.Contains("feature extractor gave shape", Assert.Throws<ArgumentException>(() => _context.Generation.EvaluateAudio(
            _context.Data.LoadFromEnumerable(Pairs(1)), "Real", "Generated", one)).Message);

        void Refused(string named, Pair[] rows, string real = "Real") => Assert.Contains(named, Assert.Throws<ArgumentException>(
            () => _context.Generation.EvaluateAudio(_context.Data.LoadFromEnumerable(rows), real, "Generated")).Message);
    }

    [Fact]
    public void Cancelled_it_ends_before_the_next_row()
    {
        using var source = new CancellationTokenSource();
        var told = 0;

        Assert.Throws<OperationCanceledException>(() => _context.Generation.EvaluateAudio(
            _context.Data.LoadFromEnumerable(Pairs(3)), "Real", "Generated", progress: new Told<AudioEvaluationProgress>(_ =>
            {
                told++;
                source.Cancel();
            }),
            cancellationToken: source.Token));

        Assert.Equal(1, told);
    }

    private static Pair[] Pairs(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new Pair
        {
            Real = Tones.Create(200 + 20 * i), Generated = Quieter(Tones.Create(210 + 20 * i, frames: 4800), 1f / (i + 2)), Name = $"{i}",
        }),
    ];

    private static Waveform Quieter(Waveform sound, float factor) =>
        new([.. sound.Samples.ToArray().Select(sample => sample * factor)], sound.SampleRate);

    private sealed class Told<T>(Action<T> tell) : IProgress<T>
    {
        public void Report(T value) => tell(value);
    }

    private sealed class Pair
    {
        [WaveformType]
        public Waveform? Real { get; set; }

        [WaveformType]
        public Waveform? Generated { get; set; }

        public string? Name { get; set; }
    }
}
