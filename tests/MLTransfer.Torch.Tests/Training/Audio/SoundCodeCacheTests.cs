using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tests.Networks.MusicGen;
using MLTransfer.Torch.Training.Audio;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Audio;

public sealed class SoundCodeCacheTests : IDisposable
{
    private readonly TinyMusic _music = new(TinyMusic.Mono);
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _music.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_sound_is_encoded_once_whatever_its_file_is_called()
    {
        WaveformFile.Write(_folder["a.wav"], Tone(4000, 16000));
        File.Copy(_folder["a.wav"], _folder["b.wav"]);
        var cache = new SoundCodeCache(_music.Model, _folder["codes"]);
        var codes = cache.EncodeFile(_folder["a.wav"]);
        Assert.Equal(codes, cache.EncodeFile(_folder["b.wav"]));
        Assert.Equal(1, cache.EncodedSounds);
        Assert.Equal(codes, new SoundCodeCache(_music.Model, null).EncodeFile(_folder["a.wav"]));
        var later = new SoundCodeCache(_music.Model, _folder["codes"]);
        Assert.Equal(codes, later.EncodeFile(_folder["a.wav"]));
        Assert.Equal(0, later.EncodedSounds);
    }

    [Fact]
    public void A_damaged_file_is_made_again_and_another_codec_has_its_own()
    {
        var cache = new SoundCodeCache(_music.Model, _folder["codes"]);
        var codes = cache.Encode(Tone(4000, 16000));
        var file = Assert.Single(Directory.GetFiles(_folder["codes"]));
        foreach (var content in (byte[][])[[], [1, 2, 3], File.ReadAllBytes(file)[..^5]])
        {
            File.WriteAllBytes(file, content);
            Assert.Equal(codes, cache.Encode(Tone(4000, 16000)));
        }

        Assert.Equal(4, cache.EncodedSounds);
        using var other = MusicGenModel.Load(_music.Folder);
        using (no_grad())
            other.Codec.parameters().First().mul_(1.5);
        var another = new SoundCodeCache(other, _folder["codes"]);
        another.Encode(Tone(4000, 16000));
        Assert.Equal(1, another.EncodedSounds);
        Assert.Equal(2, Directory.GetFiles(_folder["codes"]).Length);
    }

    [Fact]
    public void Other_rates_are_resampled_channels_mixed_and_long_sounds_encoded_in_pieces()
    {
        var cache = new SoundCodeCache(_music.Model, null);
        var stereo = new Waveform([.. Tone(8000, 32000).Samples, .. Tone(8000, 32000).Samples], 32000, 2);
        Assert.Equal(cache.Encode(Tone(8000, 32000)), cache.Encode(stereo));
        Assert.Equal(13, cache.Encode(stereo)[0].Length); // a quarter of a second at 50 frames a second

        var minute = cache.Encode(Tone(16000 * 61, 16000));
        Assert.All(minute, row => Assert.Equal(61 * 50, row.Length));
        var first = _music.Model.EncodeSound(Tone(16000 * 30, 16000));
        Assert.Equal(first, minute.Select(row => row[..1500]));
    }

    [Fact]
    public void What_is_no_sound_is_refused()
    {
        var cache = new SoundCodeCache(_music.Model, _folder["codes"]);
        Assert.Throws<ArgumentException>(() => cache.Encode(new Waveform([], 16000)));
        Assert.Throws<ArgumentException>(() => cache.Encode(new Waveform([0, float.NaN, 0], 16000)));
        File.WriteAllText(_folder["text.wav"], "no sound");
        Assert.Throws<InvalidDataException>(() => cache.EncodeFile(_folder["text.wav"]));
        Assert.False(Directory.Exists(_folder["codes"]));
    }

    private static Waveform Tone(int samples, int rate) =>
        new([.. Enumerable.Range(0, samples).Select(i => 0.4f * MathF.Sin(2 * MathF.PI * 440 * i / rate))], rate);
}
