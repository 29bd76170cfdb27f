using Microsoft.ML.Data;
using SkiaSharp;

namespace ImageGeneration;

/// <summary>Many pictures as one PNG, twice as large.</summary>
internal static class PictureGrid
{
    private const int Columns = 16;
    private const int Scale = 2;

    public static void Write(string path, IReadOnlyList<MLImage> pictures)
    {
        var (width, height) = (pictures[0].Width * Scale, pictures[0].Height * Scale);
        using var surface = SKSurface.Create(new SKImageInfo(width * Columns, height * ((pictures.Count + Columns - 1) / Columns)));
        foreach (var (index, picture) in pictures.Index())
        {
            var type = picture.PixelFormat == MLPixelFormat.Bgra32 ? SKColorType.Bgra8888 : SKColorType.Rgba8888;
            using var image =
                SKImage.FromPixelCopy(new SKImageInfo(picture.Width, picture.Height, type, SKAlphaType.Opaque), picture.Pixels);
            surface.Canvas.DrawImage(image, SKRect.Create(index % Columns * width, index / Columns * height, width, height));
        }

        using var snapshot = surface.Snapshot();
        using var png = snapshot.Encode(SKEncodedImageFormat.Png, 100);
        using var file = File.Create(path);
        png.SaveTo(file);
    }
}
