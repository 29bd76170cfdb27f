using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tests.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Metrics;

/// <summary>Pairs of sounds, against the reference's figures and the formulas.</summary>
public class SoundComparisonTests
{
    [Fact]
    public void Cepstral_distortion_is_the_reference_s_and_the_mean_over_pairs()
    {
        var entry = SignalReference.Read("signal.json").GetProperty("mel_cepstral_distortion");
        var (aligned, unaligned) = (
            entry.GetProperty("value_db").GetDouble(), entry.GetProperty("value_db_without_warping").GetDouble());
        var first = new Waveform(SignalReference.Values<float>("signal"), 16000);
        var second = new Waveform(SignalReference.Values<float>("signal2"), 16000);
        var comparison = new SpeechComparison(16000);

        comparison.Add(first, second);
        var one = comparison.ToDistances();
        comparison.Add(first, first);
        var two = comparison.ToDistances();

        Assert.Equal(aligned, one.CepstralDistortion, 1e-3);
        Assert.Equal(unaligned, one.UnalignedCepstralDistortion, 1e-3);
        Assert.Equal(aligned / 2, two.CepstralDistortion, 1e-3);
        Assert.Equal(2, comparison.Count);
    }

    [Fact]
    public void Statistics_of_pitch_are_those_of_the_reference_s_track()
    {
        var entry = SignalReference.Read("signal.json").GetProperty("pitch");
        var melody = new Waveform(SignalReference.Values<float>("melody"), 8000);
        double[] voiced = [.. SignalReference.Values<float>("pyin").Where(hertz => hertz > 0).Select(hertz => Math.Log2(hertz))];
        var comparison = new SpeechComparison(8000, new()
        {
            FrameLength = 256,
            HopLength = 64, // half of the pitch's
            Pitch = new()
            {
                LowestFrequency = entry.GetProperty("fmin").GetDouble(),
                HighestFrequency = entry.GetProperty("fmax").GetDouble(),
                FrameLength = entry.GetProperty("frame_length").GetInt32(),
                HopLength = entry.GetProperty("hop_length").GetInt32(),
            },
        });

        comparison.Add(melody, melody);

        var (distances, mean) = (comparison.ToDistances(), voiced.Average());
        Assert.Equal(Math.Pow(2, mean), distances.RealPitch.MeanFrequency!.Value, 0.05);
        Assert.Equal(12 * Math.Sqrt(voiced.Average(octave => Math.Pow(octave - mean, 2))), distances.RealPitch.Deviation!.Value, 0.01);
        Assert.Equal((double)voiced.Length / SignalReference.Values<float>("pyin").Length, distances.RealPitch.VoicedShare, 1e-9);
        Assert.Equal(distances.RealPitch, distances.GeneratedPitch);
        Assert.Equal((0, 0, 0, 0), (distances.PitchError, distances.GrossPitchErrorShare, distances.VoicingErrorShare,
            distances.PitchDifference));
    }

    [Theory]
    [InlineData(1, 100, 0)]
    [InlineData(4, 400, 1)]
    [InlineData(-12, 1200, 1)]
    public void A_tone_that_is_some_semitones_higher_is_so_many_cents_off(int semitones, double cents, double gross)
    {
        var comparison = new SpeechComparison(8000);

        comparison.Add(Tone(300), Tone(300 * Math.Pow(2, semitones / 12.0), sampleRate: 16000));

        var distances = comparison.ToDistances();
        Assert.Equal(cents, distances.PitchError!.Value, 5.0);
        Assert.Equal(gross, distances.GrossPitchErrorShare!.Value, 0.02);
        Assert.Equal(semitones, distances.PitchDifference!.Value, 0.05);
    }

    [Fact]
    public void Silence_has_no_pitch()
    {
        var comparison = new SpeechComparison(8000);

        comparison.Add(Tone(300), new Waveform(new float[4000], 8000));

        var distances = comparison.ToDistances();
        Assert.Equal(new PitchStatistics(null, null, 0), distances.GeneratedPitch);
        Assert.Null(distances.PitchError);
        Assert.Null(distances.PitchDifference);
        Assert.InRange(distances.VoicingErrorShare, 0.9, 1);
    }

    [Fact]
    public void Signal_to_noise_ratio_is_that_of_the_noise_whatever_the_scale()
    {
        var (signal, noise) = (Tone(400), Tone(600)); // whole periods: orthogonal
        var comparison = new ReconstructionComparison(8000);
        float[] noisy = [.. signal.Samples.ToArray().Zip(noise.Samples.ToArray(), (s, n) => 0.5f * (s + 0.1f * n) + 0.25f)];

        comparison.Add(signal, new Waveform(noisy, 8000));

        Assert.Equal(20, comparison.ToDistances().SignalToNoiseRatio!.Value, 1e-3);
        comparison.Add(new Waveform(new float[4000], 8000), signal);
        Assert.Equal(1, comparison.ToDistances().SilentChannelCount);
        Assert.Equal(20, comparison.ToDistances().SignalToNoiseRatio!.Value, 1e-3);
    }

    [Fact]
    public void Mel_distance_is_the_mean_difference_of_the_reference_s_logarithms()
    {
        var samples = SignalReference.Values<float>("signal");
        var wanted = SignalReference.Values<float>("log_mel.0");
        var other = MelSpectrogram.ForVocoder(SignalReference.MelFilters(0), 128).Compute(SignalReference.Values<float>("signal2"));
        var frames = wanted.Length / 40;
        var common = Math.Min(samples.Length, SignalReference.Values<float>("signal2").Length) / 128 - 4; // unlike the ends' mirrors
        var comparison = new ReconstructionComparison(16000);
        var expected = Enumerable.Range(0, 40).Average(
            band => Enumerable.Range(0, common).Average(frame => Math.Abs(wanted[band * frames + frame] - other[band, frame])));

        comparison.Add(
            new Waveform(samples[..(common * 128 + 512)], 16000), new Waveform(SignalReference.Values<float>("signal2"), 16000));

        Assert.Equal(expected, comparison.ToDistances().MelDistance, expected / 20);
        var scaled = new ReconstructionComparison(16000);
        scaled.Add(new Waveform(Noise(1), 16000), new Waveform(Noise(2), 16000));
        Assert.Equal(Math.Log(2), scaled.ToDistances().MelDistance, 1e-3);
    }

    [Fact]
    public void Sounds_of_other_rates_are_not_compared_sample_by_sample()
    {
        var comparison = new ReconstructionComparison(8000);

        Assert.Contains("16000", Assert.Throws<ArgumentException>(() => comparison.Add(Tone(300), Tone(300, 16000))).Message);
        Assert.Contains("HighestFrequency", Assert.Throws<ArgumentException>(
            () => new SpeechComparison(8000, new() { Pitch = new() { HighestFrequency = 9000 } })).Message);
    }

    private static Waveform Tone(double hertz, int sampleRate = 8000) =>
        new([.. Enumerable.Range(0, sampleRate / 2).Select(i => (float)(0.4 * Math.Sin(2 * Math.PI * hertz * i / sampleRate)))],
            sampleRate);

    private static float[] Noise(float scale)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, 4000).Select(_ => scale * (float)(random.NextDouble() - 0.5) / 2)];
    }
}
