using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Sounds;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Metrics;

public sealed class AudioFeatureExtractorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_module_reads_whole_windows_and_a_shorter_sound_filled_up_with_silence()
    {
        using var scope = NewDisposeScope();
        TorchScriptFile.Write(_folder["mean.pt"], "torch.mean(x, [1], True)"); // [N, samples] to [N, 1]
        using var extractor = new TorchScriptAudioFeatureExtractor(_folder["mean.pt"], 8000, windowSamples: 4);

        Assert.Equal([1f, 2], extractor.Extract(tensor(new float[] { 1, 1, 1, 1, 2, 2, 2, 2, 9, 9 }, 1, 10)).data<float>().ToArray());
        Assert.Equal([1.5f], extractor.Extract(tensor(new float[] { 3, 3 }, 1, 2)).data<float>().ToArray());
        using var whole = new TorchScriptAudioFeatureExtractor(_folder["mean.pt"], 8000);
        Assert.Equal([3f], whole.Extract(tensor(new float[] { 1, 5 }, 1, 2)).data<float>().ToArray());
    }

    [Fact]
    public void Parts_that_a_module_gives_are_rows_and_other_shapes_are_refused_by_the_file_s_name()
    {
        using var scope = NewDisposeScope();
        TorchScriptFile.Write(_folder["same.pt"], "x");
        using var channels = new TorchScriptAudioFeatureExtractor(_folder["same.pt"], 8000, windowSamples: 2, channels: 2);

        // two windows of [channels, 2]: each channel is a part
        Assert.Equal([4L, 2], channels.Extract(arange(8, ScalarType.Float32).view(2, 4)).shape);
        TorchScriptFile.Write(_folder["flat.pt"], "torch.mean(x, [1])");
        using var flat = new TorchScriptAudioFeatureExtractor(_folder["flat.pt"], 8000);
        Assert.Contains("flat.pt", Assert.Throws<NotSupportedException>(() => flat.Extract(ones(1, 6))).Message);
    }

    [Fact]
    public void A_codec_gives_the_mean_over_time_or_every_frame()
    {
        using var scope = NewDisposeScope();
        using var codec = EnCodecModel.Create(
            EnCodecModel.Configure(8000, [4], filters: 4, ratios: [4, 2], hiddenWidth: 6, codebookSize: 16, recurrentLayers: 1), seed: 1);
        var sound = sin(arange(64, ScalarType.Float32) * 0.3).unsqueeze(0);
        var expected = codec.Embed(sound.unsqueeze(0))[0]; // [6, 8]

        using var mean = new CodecFeatureExtractor(codec).Extract(sound);
        using var frames = new CodecFeatureExtractor(codec, everyFrame: true).Extract(sound);

        Assert.Equal([8L, 6], frames.shape);
        Assert.True(frames.equal(expected.t()).all().item<bool>());
        Assert.True(mean.allclose(expected.mean([1]).unsqueeze(0)));
    }

    [Fact]
    public void Sounds_are_brought_to_the_extractor_s_rate_and_channels()
    {
        var shapes = new List<(long, long)>();
        using var rows = new AudioFeatureRows(new DelegateAudioFeatureExtractor(8000, sound =>
        {
            shapes.Add((sound.shape[0], sound.shape[1]));
            return sound.mean([0, 1]).view(1, 1);
        }));

        rows.Add(new Waveform(new float[320], 16000, 2)); // 160 frames
        rows.Add(new Waveform(new float[80], 8000));

        Assert.Equal([(1L, 80L), (1L, 80L)], shapes);
        using var all = rows.ToTensor();
        Assert.Equal([2L, 1], all.shape);
        Assert.Contains("no samples", Assert.Throws<ArgumentException>(() => rows.Add(new Waveform([], 8000))).Message);
        Assert.Contains("frame 1 of channel 0",
            Assert.Throws<ArgumentException>(() => rows.Add(new Waveform([0, float.NaN], 8000))).Message);
    }
}
