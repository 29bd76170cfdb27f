using MLTransfer.Torch.Generation.Images;
using SkiaSharp;

namespace MLTransfer.Torch.Training.Images;

/// <summary>Pictures in rows, with captions under them, as a PNG. Where a machine has no fonts, as in most containers, words are
/// missing.</summary>
internal static class CaptionedGrid
{
    private const int Gap = 8, LineHeight = 14, Lines = 3, NarrowestCell = 128;

    /// <summary>The content of a file.</summary>
    /// <param name="pictures">At least one, all of one size.</param>
    /// <param name="captions">Of each; null for the bare pictures.</param>
    /// <param name="columns">Pictures in a row; null for as many as make a wide rectangle.</param>
    public static byte[] ToPng(IReadOnlyList<GeneratedImage> pictures, IReadOnlyList<string>? captions, int? columns = null)
    {
        var across = Math.Min(pictures.Count, columns ?? (int)Math.Ceiling(Math.Sqrt(2.0 * pictures.Count)));
        var down = (pictures.Count + across - 1) / across;
        var side = pictures[0].Side;
        var scale = captions is null ? 1 : Math.Max(1, NarrowestCell / side); // words need room; pixels stay squares
        var gap = captions is null ? 0 : Gap;
        var (width, height) = (side * scale + gap, side * scale + (captions is null ? 0 : gap + Lines * LineHeight));
        using var surface = SKSurface.Create(new SKImageInfo(across * width, down * height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(SKColors.White);
        using var words = new SKPaint { Color = SKColors.Black, TextSize = LineHeight - 2, IsAntialias = true };
        foreach (var (index, picture) in pictures.Index())
        {
            var (left, top) = (index % across * width, index / across * height);
            using var bitmap = ToBitmap(picture);
            surface.Canvas.DrawBitmap(bitmap, SKRect.Create(left, top, side * scale, side * scale));
            foreach (var (line, text) in Wrapped(captions?[index] ?? "", words, side * scale).Index())
                surface.Canvas.DrawText(text, left, top + side * scale + (line + 1) * LineHeight, words);
        }

        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    private static SKBitmap ToBitmap(GeneratedImage picture)
    {
        var count = picture.Side * picture.Side;
        var bytes = new byte[4 * count];
        for (var i = 0; i < count; i++)
        {
            for (var channel = 0; channel < 3; channel++)
                bytes[4 * i + channel] = (byte)Math.Clamp(MathF.Round(255 * picture.Pixels[channel * count + i]), 0, 255);
            bytes[4 * i + 3] = 255;
        }

        var bitmap = new SKBitmap(new SKImageInfo(picture.Side, picture.Side, SKColorType.Rgba8888, SKAlphaType.Opaque));
        System.Runtime.InteropServices.Marshal.Copy(bytes, 0, bitmap.GetPixels(), bytes.Length);
        return bitmap;
    }

    /// <summary>Lines of whole words, as many as there is room for.</summary>
    private static IEnumerable<string> Wrapped(string caption, SKPaint words, float width)
    {
        var (line, lines) = ("", 0);
        foreach (var word in caption.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var longer = line.Length == 0 ? word : $"{line} {word}";
            if (line.Length > 0 && words.MeasureText(longer) > width)
            {
                yield return line;
                if (++lines == Lines)
                    yield break;
                longer = word;
            }

            line = longer;
        }

        if (line.Length > 0)
            yield return line;
    }
}
