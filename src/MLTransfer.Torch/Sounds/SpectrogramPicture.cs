using SkiaSharp;

namespace MLTransfer.Torch.Sounds;

/// <summary>A mel spectrogram as pixels: a column a frame, a row a band, the lowest below.</summary>
internal static class SpectrogramPicture
{
    private const int Bands = 80;
    private const double Decibels = 80;

    /// <summary>What is not above it is silent: the floor of the bands is 1e-10.</summary>
    private const double Silence = -9.99;

    /// <summary>Seconds of a frame, at least.</summary>
    private const double FrameSeconds = 0.04;

    /// <summary>From the lowest energy to the highest: dark violet, red, yellow.</summary>
    private static readonly SKColor[] s_colors =
    [
        new(0x08, 0x05, 0x1d), new(0x3b, 0x0f, 0x70), new(0x8c, 0x29, 0x81), new(0xde, 0x49, 0x68), new(0xfe, 0x9f, 0x6d),
            new(0xfc, 0xfd, 0xbf),
    ];

    /// <summary>Draws a sound of one channel.</summary>
    /// <param name="sound">The sound.</param>
    /// <param name="columns">The most columns.</param>
    public static SKBitmap Create(Waveform sound, int columns)
    {
        var bands = Energies(sound, columns);
        var loudest = bands.Cast<float>().Max();
        var count = bands.GetLength(1);
        var pixels = new SKColor[Bands * count];
        for (var band = 0; band < Bands; band++)
        {
            for (var frame = 0; frame < count; frame++)
            {
                // log10 of power: 10 decibels each; a silent sound has no loudest place, and is dark
                var share = loudest <= Silence ? 0 : 1 + (bands[band, frame] - loudest) * 10 / Decibels;
                pixels[(Bands - 1 - band) * count + frame] = ColorOf(Math.Clamp(share, 0, 1));
            }
        }

        return new SKBitmap(count, Bands, SKColorType.Rgba8888, SKAlphaType.Opaque) { Pixels = pixels };
    }

    /// <summary>The bands of as many frames as there are columns, or fewer, in equal steps: [bands, frames].</summary>
    private static float[,] Energies(Waveform sound, int columns)
    {
        var size = 64;
        while (size < FrameSeconds * sound.SampleRate)
            size *= 2;
        var count = Math.Clamp(sound.Frames / (size / 4), 1, columns);
        // frames are put beside each other, so that a sound of hours is not computed whole; zeros stand around it
        var frames = new float[count * size];
        for (var frame = 0; frame < count; frame++)
        {
            var start = (int)((frame + 0.5) * sound.Frames / count) - size / 2;
            var (from, to) = (Math.Max(0, start), Math.Min(sound.Frames, start + size));
            if (to > from)
                sound.Samples[from..to].CopyTo(frames.AsSpan(frame * size + from - start));
        }

        var filters = new MelFilters(sound.SampleRate, size, Bands);
        return new MelSpectrogram(filters, new(size, size) { Padding = FramePadding.None }).Compute(frames);
    }

    private static SKColor ColorOf(double share)
    {
        var place = share * (s_colors.Length - 1);
        var index = Math.Min((int)place, s_colors.Length - 2);
        var (low, high, part) = (s_colors[index], s_colors[index + 1], place - index);
        byte Between(byte a, byte b) => (byte)Math.Round(a + (b - a) * part);
        return new(Between(low.Red, high.Red), Between(low.Green, high.Green), Between(low.Blue, high.Blue));
    }
}
