using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Sounds;

public class WaveformFileTests
{
    public static TheoryData<string> WaveFiles =>
        [.. SignalReference.Read("wav.json").EnumerateArray().Select(entry => entry.GetProperty("file").GetString()!)];

    [Theory]
    [MemberData(nameof(WaveFiles))]
    public void Wave_files_give_the_reference_s_samples(string file)
    {
        var entry = SignalReference.Read("wav.json").EnumerateArray().Single(item => item.GetProperty("file").GetString() == file);

        var sound = WaveformFile.Read(RepositoryFiles.Data($"signal/wav/{file}"));

        Assert.Equal(entry.GetProperty("sample_rate").GetInt32(), sound.SampleRate);
        Assert.Equal(entry.GetProperty("channels").GetInt32(), sound.Channels);
        Assert.Equal(SignalReference.Values<float>(Path.GetFileNameWithoutExtension(file), "wav"), sound.Samples.ToArray());
    }

    [Theory]
    [InlineData("mono.mp3", 22050, 1, 0.6)]
    [InlineData("stereo.mp3", 44100, 2, 0.5)]
    [InlineData("mono.ogg", 22050, 1, 0.6)]
    [InlineData("stereo.ogg", 44100, 2, 0.5)]
    public void Compressed_files_give_their_tones(string file, int sampleRate, int channels, double seconds)
    {
        var sound = WaveformFile.Read(RepositoryFiles.Data($"sounds/{file}"));

        Assert.Equal((sampleRate, channels), (sound.SampleRate, sound.Channels));
        Assert.InRange(sound.Duration.TotalSeconds, seconds, seconds + 0.12); // MP3 files have whole frames, with silence around
        for (var channel = 0; channel < channels; channel++)
        {
            var middle = sound.Channel(channel).Slice(sound.Frames / 2 - 2048, 4096);
            var pitch = PitchTracking.Yin(middle, sampleRate)[4];
            Assert.Equal(channel == 0 ? 440 : 660, pitch, 2.0);
            Assert.Equal(0.5, middle.ToArray().Max(), 0.03);
        }
    }

    [Theory]
    [InlineData(WaveEncoding.Pcm16, 1 << 15)]
    [InlineData(WaveEncoding.Pcm24, 1 << 23)]
    [InlineData(WaveEncoding.Float32, 0)]
    public void What_is_written_is_read_again(WaveEncoding encoding, int scale)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(1);
        var samples = Enumerable.Range(0, 3 * 501).Select(_ => (float)(2.2 * random.NextDouble() - 1.1)).ToArray();
        var path = Path.Combine(folder.Path, "a.wav");

        WaveformFile.Write(path, new(samples, 11025, 3), encoding);

        var sound = WaveformFile.Read(path);
        Assert.Equal((11025, 3), (sound.SampleRate, sound.Channels));
        var expected = scale == 0 ? samples : [.. samples.Select(sample => (float)Math.Clamp(sample, -1, 1 - 1.0 / scale))];
        Assert.All(expected.Zip(sound.Samples.ToArray()), pair => Assert.Equal(pair.First, pair.Second, scale == 0 ? 0 : 0.51 / scale));

        // and once more: integers stay what they are
        WaveformFile.Write(path, sound, encoding);
        Assert.Equal(sound.Samples.ToArray(), WaveformFile.Read(path).Samples.ToArray());
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_file_of_hours_is_read_in_pieces_and_refused_as_a_whole()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "hours.wav");
        var minute = new Waveform([.. Enumerable.Range(0, 60 * 8000).Select(i => (float)Math.Sin(i * 0.1) / 2)], 8000);
        WaveformFile.WritePieces(path, Enumerable.Repeat(minute, 180));

        Assert.Contains(
            "hours.wav", Assert.Throws<InvalidDataException>(() => WaveformFile.Read(path, TimeSpan.FromMinutes(10))).Message,
                StringComparison.Ordinal);
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var reader = WaveformReader.Open(path);
        Assert.Equal(180L * 60 * 8000, reader.Frames);
        Assert.Equal(100, reader.ReadPieces(1000).Take(100).Count());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4_000_000);
        Assert.Equal(Math.Sin(100_000 * 0.1) / 2, reader.Read(1)!.Samples[0], 1e-4);
    }

    [Fact]
    public void A_compressed_file_is_refused_once_it_proves_too_long()
    {
        var path = RepositoryFiles.Data("sounds/mono.mp3");

        var error = Assert.Throws<InvalidDataException>(() => WaveformFile.Read(path, TimeSpan.FromSeconds(0.5)));

        Assert.Contains("mono.mp3", error.Message, StringComparison.Ordinal);
        Assert.Equal(22050, WaveformFile.Read(path, TimeSpan.FromSeconds(1)).SampleRate);
    }

    [Fact]
    public void Samples_that_are_no_numbers_are_refused()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "a.wav");
        WaveformFile.Write(path, new([0.1f, 0.2f, 0.3f], 8000), WaveEncoding.Float32);
        var bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), float.NaN);
        File.WriteAllBytes(path, bytes);

        Assert.Contains("frame 2", Assert.Throws<InvalidDataException>(() => WaveformFile.Read(path)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "frame 1",
            Assert.Throws<ArgumentException>(() => WaveformFile.Write(path, new([0, float.PositiveInfinity], 8000))).Message,
            StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    [Fact]
    public void What_is_no_sound_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "a.wav");
        foreach (var content in (string[])["", "RI", "no sound at all", "RIFF....WAVE", "RIFF....AVI LIST", "OggS", "ID3"])
        {
            File.WriteAllText(path, content);
            Assert.Contains("a.wav", Assert.Throws<InvalidDataException>(() => WaveformFile.Read(path)).Message, StringComparison.Ordinal);
        }

        Assert.Throws<FileNotFoundException>(() => WaveformFile.Read(path + "x"));
    }
}
