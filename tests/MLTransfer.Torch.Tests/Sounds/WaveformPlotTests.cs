using MLTransfer.Torch.Sounds;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Torch.Tests.Sounds;

public class WaveformPlotTests
{
    [Fact]
    public void A_rising_tone_rises_in_its_picture()
    {
        // 500 Hz in the first half, 3000 Hz in the second
        var sound = new Waveform(
            [.. Enumerable.Range(0, 16000).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * (i < 8000 ? 500 : 3000) * i / 16000.0)))],
                16000);

        using var picture = SKBitmap.Decode(WaveformPlot.ToPng(sound, 400, 300));

        Assert.Equal((400, 300), (picture.Width, picture.Height));
        Assert.InRange(BrightestRow(picture, 150), BrightestRow(picture, 300) + 40, 290);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(16000)]
    public void Silence_and_short_clips_have_dark_pictures(int frames)
    {
        using var picture = SKBitmap.Decode(WaveformPlot.ToPng(new Waveform(new float[2 * frames], 16000, 2), 200, 120));

        Assert.Equal(new SKColor(0x08, 0x05, 0x1d), picture.GetPixel(100, 80));
    }

    [Fact]
    public void A_sound_of_an_hour_takes_little_memory()
    {
        var hour = new Waveform(new float[3600 * 8000], 8000);
        var before = GC.GetAllocatedBytesForCurrentThread();

        WaveformPlot.ToPng(hour, 400, 300);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
    }

    [Fact]
    public void What_cannot_be_drawn_is_refused()
    {
        Assert.Throws<ArgumentException>(() => WaveformPlot.ToPng(new Waveform([float.NaN], 8000)));
        Assert.Throws<ArgumentOutOfRangeException>(() => WaveformPlot.ToPng(new Waveform([0], 8000), width: 50));
        Assert.Throws<ArgumentOutOfRangeException>(() => WaveformPlot.ToPng(new Waveform([0], 8000), height: 10_000));
    }

    [Fact]
    public void The_picture_s_file_is_a_png()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "a.png");

        WaveformPlot.Write(path, new Waveform([0, 1, 0, -1], 8000));

        using var picture = SKBitmap.Decode(path);
        Assert.Equal((800, 400), (picture.Width, picture.Height));
    }

    private static int BrightestRow(SKBitmap picture, int column) =>
        Enumerable.Range(105, 165).MaxBy(row => picture.GetPixel(column, row) is var color ? color.Red + color.Green + color.Blue : 0);
}
