using System.Text.Json;
using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Sounds;

public class PitchTests
{
    private static readonly JsonElement s_description = SignalReference.Read("signal.json").GetProperty("pitch");

    private static readonly int s_sampleRate = s_description.GetProperty("sample_rate").GetInt32();

    private static readonly PitchOptions s_options = new()
    {
        LowestFrequency = s_description.GetProperty("fmin").GetDouble(),
        HighestFrequency = s_description.GetProperty("fmax").GetDouble(),
        FrameLength = s_description.GetProperty("frame_length").GetInt32(),
        HopLength = s_description.GetProperty("hop_length").GetInt32(),
    };

    [Fact]
    public void Yin_gives_the_reference_s_pitches()
    {
        var expected = SignalReference.Values<float>("yin");

        var actual = PitchTracking.Yin(SignalReference.Values<float>("melody"), s_sampleRate, s_options);

        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(1, pair.Second / pair.First, 1e-3));
    }

    [Fact]
    public void Probabilistic_yin_gives_the_reference_s_course_and_silence()
    {
        var track = PitchTracking.ProbabilisticYin(SignalReference.Values<float>("melody"), s_sampleRate, s_options);

        var expected = SignalReference.Values<float>("pyin");
        Assert.Equal(expected.Length, track.Frequencies.Count);
        Assert.All(expected.Zip(track.Frequencies), pair => Assert.Equal(pair.First, pair.Second, 1e-2));
        Assert.All(
            SignalReference.Values<float>("pyin_probability").Zip(track.VoicedProbabilities),
            pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void Silence_has_no_pitch_and_no_sound_has_no_frames()
    {
        var track = PitchTracking.ProbabilisticYin(new float[4000], s_sampleRate, s_options);

        Assert.All(track.Frequencies, frequency => Assert.Equal(0, frequency));
        Assert.All(PitchTracking.Yin(new float[4000], s_sampleRate, s_options), frequency => Assert.True(float.IsFinite(frequency)));
        Assert.Single(PitchTracking.Yin([], s_sampleRate, s_options));
    }

    [Theory]
    [InlineData(65, 5000, 1024, 128, nameof(PitchOptions.HighestFrequency))]
    [InlineData(0, 800, 1024, 128, nameof(PitchOptions.LowestFrequency))]
    [InlineData(65, 800, 100, 128, nameof(PitchOptions.FrameLength))]
    [InlineData(65, 800, 1024, 0, nameof(PitchOptions.HopLength))]
    public void Options_out_of_range_are_refused_by_name(double lowest, double highest, int frame, int hop, string name)
    {
        var options = new PitchOptions { LowestFrequency = lowest, HighestFrequency = highest, FrameLength = frame, HopLength = hop };

        var error = Assert.Throws<ArgumentException>(() => PitchTracking.Yin(new float[100], 8000, options));

        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }
}
