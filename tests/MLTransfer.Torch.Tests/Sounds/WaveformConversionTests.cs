using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Sounds;

public class WaveformConversionTests
{
    [Theory]
    [InlineData(44100, 16000)]
    [InlineData(16000, 44100)]
    [InlineData(48000, 24000)]
    [InlineData(22050, 32000)]
    [InlineData(8000, 48000)]
    public void A_tone_stays_in_place_and_keeps_its_height(int from, int to)
    {
        foreach (var share in (double[])[0.05, 0.3, 0.45])
        {
            var frequency = share * Math.Min(from, to);

            var sound = Tone(from, frequency, from / 2).Resample(to);

            Assert.Equal(to, sound.SampleRate);
            Assert.Equal(to / 2, sound.Frames);
            var middle = sound.Samples[(to / 8)..(3 * to / 8)];
            var expected = Tone(to, frequency, to / 2).Samples[(to / 8)..(3 * to / 8)];
            var error = 0.0;
            for (var i = 0; i < middle.Length; i++)
                error += Math.Pow(middle[i] - expected[i], 2);
            Assert.True(Math.Sqrt(error / middle.Length) < 1e-3, $"{share}: {Math.Sqrt(error / middle.Length)}");
        }
    }

    [Theory]
    [InlineData(44100, 16000)]
    [InlineData(48000, 24000)]
    public void What_the_lower_rate_cannot_hold_is_left_out(int from, int to)
    {
        var sound = Tone(from, 0.55 * to, from / 2).Resample(to);

        Assert.All(sound.Samples[(to / 8)..(3 * to / 8)].ToArray(), sample => Assert.InRange(sample, -5e-4f, 5e-4f));
    }

    [Fact]
    public void Pieces_give_the_bits_of_the_whole()
    {
        var random = new Random(3);
        var whole = new Waveform([.. Enumerable.Range(0, 2 * 30_011).Select(_ => random.NextSingle() - 0.5f)], 22050, 2);
        var pieces = Enumerable.Range(0, 30_011).Chunk(4096).Select(frames => new Waveform(
            [.. whole.Channel(0)[frames[0]..(frames[^1] + 1)], .. whole.Channel(1)[frames[0]..(frames[^1] + 1)]], 22050, 2));

        var converted = whole.Resample(16000);
        var joined = pieces.Resample(16000).ToList();

        Assert.Equal((30_011 * 16000 + 22049) / 22050, converted.Frames);
        Assert.Equal(converted.Channel(0).ToArray(), joined.SelectMany(piece => piece.Channel(0).ToArray()));
        Assert.Equal(converted.Channel(1).ToArray(), joined.SelectMany(piece => piece.Channel(1).ToArray()));
    }

    [Fact]
    public void Short_and_silent_sounds_have_their_lengths()
    {
        Assert.Equal(2, new Waveform([0.5f], 8000).Resample(16000).Frames);
        Assert.Equal(1, new Waveform([0.5f], 16000).Resample(8000).Frames);
        Assert.Equal(0, new Waveform([], 16000, 2).Resample(8000).Frames);
        Assert.All(new Waveform(new float[5000], 8000).Resample(44100).Samples.ToArray(), sample => Assert.Equal(0, sample));
        var same = new Waveform([1, 2], 8000);
        Assert.Same(same, same.Resample(8000));
    }

    [Fact]
    public void What_cannot_be_converted_is_refused()
    {
        var sound = new Waveform([1, float.NaN], 8000);
        Assert.Contains("frame 1", Assert.Throws<ArgumentException>(() => sound.Resample(16000)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => sound.Resample(0));
        Assert.Contains(
            "3 channels cannot become 2",
            Assert.Throws<ArgumentException>(() => new Waveform(new float[6], 8000, 3).Mix(2)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Channels_are_averaged_or_copied()
    {
        var stereo = new Waveform([1, 2, 3, 6], 8000, 2);

        Assert.Equal([2, 4], stereo.Mix(1).Samples.ToArray());
        Assert.Equal([2, 4, 2, 4, 2, 4], stereo.Mix(1).Mix(3).Samples.ToArray());
        Assert.Same(stereo, stereo.Mix(2));
    }

    private static Waveform Tone(int rate, double frequency, int frames) =>
        new([.. Enumerable.Range(0, frames).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * frequency * i / rate)))], rate);
}
