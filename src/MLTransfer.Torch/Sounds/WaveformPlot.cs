using System.Globalization;
using MLTransfer.Torch.Checkpoints;
using NWaves.Utils;
using SkiaSharp;

namespace MLTransfer.Torch.Sounds;

/// <summary>
/// Pictures of sounds: the waveform above, the spectrogram in mel below, both over the same seconds. The spectrogram spans 80 decibels
/// below
/// the sound's loudest place; a sound of hours takes no more work than its picture has columns. Several channels are drawn as their mean.
/// Where a machine has no fonts, as in most containers, there are no words.
/// </summary>
public static class WaveformPlot
{
    /// <summary>The least width and height, in pixels.</summary>
    public const int SmallestSize = 100;

    /// <summary>The greatest width and height, in pixels.</summary>
    public const int LargestSize = 8192;

    private const int Left = 46, Right = 10, Top = 8, Gap = 8, Bottom = 26;

    private static readonly double[] s_frequencies = [100, 500, 1000, 2000, 4000, 8000, 16000];

    /// <summary>Draws a sound.</summary>
    /// <param name="sound">Silence, and clips shorter than a frame, have their pictures too.</param>
    /// <param name="width">In pixels, <see cref="SmallestSize"/> to <see cref="LargestSize"/>.</param>
    /// <param name="height">Likewise.</param>
    /// <returns>The content of a PNG file.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of its range.</exception>
    /// <exception cref="ArgumentException">A sample is no finite number.</exception>
    public static byte[] ToPng(Waveform sound, int width = 800, int height = 400)
    {
        ArgumentNullException.ThrowIfNull(sound);
        Check(width, nameof(width));
        Check(height, nameof(height));
        sound.CheckFinite();
        var mono = sound.Mix(1);
        using var surface = SKSurface.Create(new SKImageInfo(width, height));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        var inner = height - Top - Gap - Bottom;
        var wave = SKRectI.Create(Left, Top, width - Left - Right, inner / 3);
        var spectrum = SKRectI.Create(Left, Top + wave.Height + Gap, wave.Width, inner - wave.Height);
        DrawWave(canvas, wave, mono.Samples);
        DrawSpectrum(canvas, spectrum, mono);
        DrawSeconds(canvas, spectrum, sound.Duration.TotalSeconds);
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    /// <summary>Draws a sound into a PNG file, under a temporary name that is renamed.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="sound">As in <see cref="ToPng"/>.</param>
    /// <param name="width">In pixels, <see cref="SmallestSize"/> to <see cref="LargestSize"/>.</param>
    /// <param name="height">Likewise.</param>
    /// <exception cref="ArgumentException">A size is out of its range, or a sample is no finite number.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Waveform sound, int width = 800, int height = 400)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var png = ToPng(sound, width, height);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    internal static void Check(int size, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, SmallestSize, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, LargestSize, name);
    }

    /// <summary>A line from the lowest to the highest sample of each column.</summary>
    private static void DrawWave(SKCanvas canvas, SKRectI area, ReadOnlySpan<float> samples)
    {
        using var paint = new SKPaint { Color = new SKColor(0x1f, 0x77, 0xb4), StrokeWidth = 1 };
        using var axis = new SKPaint { Color = new SKColor(0xdd, 0xdd, 0xdd), StrokeWidth = 1 };
        canvas.DrawLine(area.Left, area.MidY, area.Right, area.MidY, axis);
        float Y(float value) => area.MidY - Math.Clamp(value, -1, 1) * area.Height / 2;
        for (var column = 0; column < area.Width && samples.Length > 0; column++)
        {
            var start = (int)((long)column * samples.Length / area.Width);
            var end = Math.Max(start + 1, (int)((column + 1L) * samples.Length / area.Width));
            var (lowest, highest) = (float.PositiveInfinity, float.NegativeInfinity);
            foreach (var sample in samples[start..end])
                (lowest, highest) = (Math.Min(lowest, sample), Math.Max(highest, sample));
            canvas.DrawLine(area.Left + column + 0.5f, Y(highest) - 0.5f, area.Left + column + 0.5f, Y(lowest) + 0.5f, paint);
        }
    }

    private static void DrawSpectrum(SKCanvas canvas, SKRectI area, Waveform mono)
    {
        using var bitmap = SpectrogramPicture.Create(mono, area.Width);
        using var smooth = new SKPaint { FilterQuality = SKFilterQuality.Medium };
        canvas.DrawBitmap(bitmap, area, smooth);
        using var text = Text(SKTextAlign.Right);
        var top = Scale.HerzToMelSlaney(mono.SampleRate / 2.0);
        foreach (var frequency in s_frequencies.Where(frequency => frequency < 0.48 * mono.SampleRate))
        {
            var y = area.Bottom - (float)(Scale.HerzToMelSlaney(frequency) / top * area.Height);
            var label = frequency < 1000 ? $"{frequency} Hz" : $"{frequency / 1000} kHz";
            canvas.DrawText(label, area.Left - 4, y + 4, text);
        }
    }

    private static void DrawSeconds(SKCanvas canvas, SKRectI area, double seconds)
    {
        if (seconds <= 0)
            return;
        using var text = Text(SKTextAlign.Center);
        var power = Math.Pow(10, Math.Floor(Math.Log10(seconds / 5)));
        var step = power * (seconds / 5 / power) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 };
        for (var i = 0; i * step <= seconds; i++)
        {
            var label = $"{(i * step).ToString("G4", CultureInfo.InvariantCulture)} s";
            canvas.DrawText(label, area.Left + (float)(i * step / seconds * area.Width), area.Bottom + 16, text);
        }
    }

    private static SKPaint Text(SKTextAlign align) =>
        new() { Color = SKColors.Black, TextSize = 11, IsAntialias = true, TextAlign = align };
}
