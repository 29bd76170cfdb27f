using Microsoft.ML.Data;
using SkiaSharp;

namespace Samples;

/// <summary>Pictures in rows under headings, as one PNG.</summary>
internal static class PictureSheet
{
    public const int Columns = 8;

    private const int Tile = 128, Gap = 8, Margin = 24, HeadingHeight = 40, CaptionLine = 17;

    /// <param name="path">The file.</param>
    /// <param name="title">Its first line.</param>
    /// <param name="captions">What stands below each column; empty for nothing.</param>
    /// <param name="groups">Pictures, eight a row, and the heading above them.</param>
    public static void Write(
        string path, string title, IReadOnlyList<string> captions,
        params IReadOnlyList<(string Heading, IEnumerable<MLImage> Pictures)> groups)
    {
        using var dark = new SKPaint { IsAntialias = true, Color = new SKColor(0x22, 0x22, 0x22), TextSize = 14 };
        var images = groups.Select(group => group.Pictures.Select(ToImage).ToList()).ToList();
        var lines = captions.Select(caption => Wrap(caption, dark)).ToList();
        var rows = images.Sum(group => (group.Count + Columns - 1) / Columns);
        using var surface = SKSurface.Create(new SKImageInfo(
            2 * Margin + Columns * (Tile + Gap) - Gap,
            2 * Margin + (1 + groups.Count) * HeadingHeight + rows * (Tile + Gap) - groups.Count * Gap
            + lines.Select(wrapped => wrapped.Count).DefaultIfEmpty().Max() * CaptionLine));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        using var text = new SKPaint { IsAntialias = true, Color = dark.Color, TextSize = 24 };
        using var smooth = new SKPaint { FilterQuality = SKFilterQuality.High };
        var y = Margin + HeadingHeight;
        canvas.DrawText(title, Margin, y - 16, text);
        text.TextSize = 18;
        foreach (var ((heading, _), group) in groups.Zip(images))
        {
            canvas.DrawText(heading, Margin, y + HeadingHeight - 10, text);
            y += HeadingHeight;
            foreach (var row in group.Chunk(Columns))
            {
                foreach (var (column, image) in row.Index())
                {
                    canvas.DrawImage(image, SKRect.Create(Left(column), y, Tile, Tile), smooth);
                    image.Dispose();
                }

                y += Tile + Gap;
            }

            y -= Gap;
        }

        foreach (var (column, wrapped) in lines.Index())
        {
            foreach (var (line, words) in wrapped.Index())
                canvas.DrawText(words, Left(column), y + (line + 1) * CaptionLine, dark);
        }

        using var snapshot = surface.Snapshot();
        using var png = snapshot.Encode(SKEncodedImageFormat.Png, 100);
        using var file = File.Create(path);
        png.SaveTo(file);
    }

    private static int Left(int column) => Margin + column * (Tile + Gap);

    /// <summary>As many words on a line as are not wider than a picture.</summary>
    private static List<string> Wrap(string text, SKPaint paint)
    {
        var lines = new List<string>();
        foreach (var word in text.Split(' '))
        {
            if (lines.Count > 0 && paint.MeasureText($"{lines[^1]} {word}") <= Tile)
                lines[^1] += $" {word}";
            else
                lines.Add(word);
        }

        return lines;
    }

    private static SKImage ToImage(MLImage picture)
    {
        var type = picture.PixelFormat == MLPixelFormat.Bgra32 ? SKColorType.Bgra8888 : SKColorType.Rgba8888;
        return SKImage.FromPixelCopy(new SKImageInfo(picture.Width, picture.Height, type, SKAlphaType.Opaque), picture.Pixels);
    }
}
