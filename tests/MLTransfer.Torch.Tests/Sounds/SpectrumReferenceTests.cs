using System.Text.Json;
using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Sounds;

/// <summary>Spectra, mel bands and cepstra, against the reference's figures.</summary>
public class SpectrumReferenceTests
{
    private static readonly JsonElement s_description = SignalReference.Read("signal.json");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Mel_filters_are_the_reference_s(int index)
    {
        var expected = SignalReference.Values<float>($"mel.{index}");

        // areas of triangles with a slope of 1 / Hz are small: the tolerance is relative to the largest weight
        SignalReference.AssertNear(expected, SignalReference.MelFilters(index).ToArray(), 1e-6 * expected.Max());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Magnitudes_are_the_reference_s(int index)
    {
        var entry = s_description.GetProperty("stft")[index];
        var frames = new FourierFrames(entry.GetProperty("n_fft").GetInt32(), entry.GetProperty("hop_length").GetInt32())
        {
            WindowLength = entry.GetProperty("win_length").GetInt32(),
            Padding = (entry.GetProperty("center").GetBoolean(), entry.GetProperty("pad_mode").GetString()) switch
            {
                (false, _) => FramePadding.None,
                (_, "reflect") => FramePadding.MirroredHalfFrame,
                _ => FramePadding.ZeroHalfFrame,
            },
        };
        var signal = SignalReference.Values<float>("signal");

        var magnitudes = frames.Magnitudes(signal);

        SignalReference.AssertNear(SignalReference.Values<float>($"stft.{index}"), magnitudes, 1e-4);
        Assert.Equal(magnitudes.GetLength(1), frames.FramesOf(signal.Length));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Log_mel_spectrograms_are_the_reference_s(int index)
    {
        var entry = s_description.GetProperty("log_mel")[index];
        var filters = SignalReference.MelFilters(entry.GetProperty("mel").GetInt32());
        var hop = entry.GetProperty("hop_length").GetInt32();
        var isVocoder = entry.GetProperty("formula").GetString()!.StartsWith("ln", StringComparison.Ordinal);
        var spectrogram = isVocoder ? MelSpectrogram.ForVocoder(filters, hop) : new MelSpectrogram(filters, new(filters.FftSize, hop));

        var bands = spectrogram.Compute(SignalReference.Values<float>("signal"));

        SignalReference.AssertNear(SignalReference.Values<float>($"log_mel.{index}"), bands, 1e-4);
    }

    [Fact]
    public void The_mel_cepstral_distortion_is_the_reference_s()
    {
        var entry = s_description.GetProperty("mel_cepstral_distortion");
        var cepstrum = new MelCepstrum(
            SignalReference.MelFilters(entry.GetProperty("mel").GetInt32()),
            entry.GetProperty("hop_length").GetInt32(),
            entry.GetProperty("coefficients").GetInt32());
        var (first, second) = (SignalReference.Values<float>("signal"), SignalReference.Values<float>("signal2"));

        var distortion = cepstrum.Compare(first, second);

        SignalReference.AssertNear(SignalReference.Values<float>("cepstrum.0"), cepstrum.Compute(first), 1e-3);
        SignalReference.AssertNear(SignalReference.Values<float>("cepstrum.1"), cepstrum.Compute(second), 1e-3);
        Assert.Equal(entry.GetProperty("value_db").GetDouble(), distortion.Aligned, 1e-3);
        Assert.Equal(entry.GetProperty("value_db_without_warping").GetDouble(), distortion.Unaligned, 1e-3);
        Assert.Equal(
            SignalReference.Values<long>("dtw_path").Chunk(2).Select(pair => ((int)pair[0], (int)pair[1])), distortion.Path);
        Assert.Equal(0, cepstrum.Compare(first, first).Aligned);
    }

    [Fact]
    public void A_sound_shorter_than_a_frame_is_refused_by_its_lengths()
    {
        var frames = new FourierFrames(512, 128);

        Assert.Contains(
            "256 samples", Assert.Throws<ArgumentException>(() => frames.Magnitudes(new float[256])).Message, StringComparison.Ordinal);
        Assert.Equal(3, frames.Magnitudes(new float[257]).GetLength(1));
        var whole = frames with { Padding = FramePadding.None };
        Assert.Contains(
            "511 samples", Assert.Throws<ArgumentException>(() => whole.Magnitudes(new float[511])).Message, StringComparison.Ordinal);
        Assert.Equal(0, whole.FramesOf(511));
    }

    [Fact]
    public void Silence_has_the_energy_of_the_floor()
    {
        var filters = new MelFilters(16000, 512, 40);

        var bands = new MelSpectrogram(filters, new(512, 128)).Compute(new float[1000]);

        Assert.All(bands.Cast<float>(), value => Assert.Equal(-10f, value));
    }

    [Fact]
    public void Wrong_sizes_are_refused_by_name()
    {
        Assert.Contains(
            nameof(MelFilters.HighestFrequency),
            Assert.Throws<ArgumentException>(() => new MelFilters(8000, 512, 40) { HighestFrequency = 4001 }.ToArray()).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Bands", Assert.Throws<ArgumentException>(() => new MelFilters(8000, 512, 0).ToArray()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new FourierFrames(512, 0).Magnitudes(new float[1000]));
        Assert.Throws<ArgumentException>(() => new FourierFrames(512, 128) { WindowLength = 513 }.Magnitudes(new float[1000]));
        Assert.Throws<ArgumentException>(() => new MelCepstrum(new(8000, 512, 13), 128, 13));
    }
}
