using Microsoft.ML.Data;
using SkiaSharp;

namespace ImageGeneration;

/// <summary>Pictures in rows under captions, as one PNG.</summary>
internal static class PictureSheet
{
    public const int Columns = 8;

    private const int Tile = 128, Gap = 8, Margin = 24, CaptionHeight = 40;

    /// <param name="path">The file.</param>
    /// <param name="title">Its first line.</param>
    /// <param name="groups">Pictures, eight a row, and the caption above them.</param>
    public static void Write(string path, string title, params IReadOnlyList<(string Caption, IEnumerable<MLImage> Pictures)> groups)
    {
        var images = groups.Select(group => group.Pictures.Select(ToImage).ToList()).ToList();
        var rows = images.Sum(group => (group.Count + Columns - 1) / Columns);
        using var surface = SKSurface.Create(new SKImageInfo(
            2 * Margin + Columns * (Tile + Gap) - Gap,
            2 * Margin + (1 + groups.Count) * CaptionHeight + rows * (Tile + Gap) - groups.Count * Gap));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        using var text = new SKPaint { IsAntialias = true, Color = new SKColor(0x22, 0x22, 0x22), TextSize = 24 };
        using var smooth = new SKPaint { FilterQuality = SKFilterQuality.High };
        var y = Margin + CaptionHeight;
        canvas.DrawText(title, Margin, y - 16, text);
        text.TextSize = 18;
        foreach (var ((caption, _), group) in groups.Zip(images))
        {
            canvas.DrawText(caption, Margin, y + CaptionHeight - 10, text);
            y += CaptionHeight;
            foreach (var row in group.Chunk(Columns))
            {
                foreach (var (column, image) in row.Index())
                {
                    canvas.DrawImage(image, SKRect.Create(Margin + column * (Tile + Gap), y, Tile, Tile), smooth);
                    image.Dispose();
                }

                y += Tile + Gap;
            }

            y -= Gap;
        }

        using var snapshot = surface.Snapshot();
        using var png = snapshot.Encode(SKEncodedImageFormat.Png, 100);
        using var file = File.Create(path);
        png.SaveTo(file);
    }

    private static SKImage ToImage(MLImage picture)
    {
        using (picture)
        {
            var type = picture.PixelFormat == MLPixelFormat.Bgra32 ? SKColorType.Bgra8888 : SKColorType.Rgba8888;
            return SKImage.FromPixelCopy(new SKImageInfo(picture.Width, picture.Height, type, SKAlphaType.Opaque), picture.Pixels);
        }
    }
}
