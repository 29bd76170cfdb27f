using SkiaSharp;

namespace ImageGeneration;

/// <summary>Pictures of faces, drawn at random: something that the embedded model has never seen.</summary>
internal static class FacePictures
{
    private const int Size = 32;

    /// <summary>Writes PNG files into a folder, in place of those of an earlier run.</summary>
    public static void Draw(string folder, int count, int seed)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        var random = new Random(seed);
        using var bitmap = new SKBitmap(new SKImageInfo(Size, Size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var i = 0; i < count; i++)
        {
            using (var canvas = new SKCanvas(bitmap))
                DrawFace(canvas, random);
            using var file = File.Create(Path.Combine(folder, $"{i:D4}.png"));
            bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
        }
    }

    private static void DrawFace(SKCanvas canvas, Random random)
    {
        canvas.Clear(SKColor.FromHsl(random.Next(360), 30, 85 + 10 * random.NextSingle()));
        var radius = Size * (0.32f + 0.08f * random.NextSingle());
        canvas.Translate(Size * (0.46f + 0.08f * random.NextSingle()), Size * (0.46f + 0.08f * random.NextSingle()));
        using var skin = new SKPaint { IsAntialias = true, Color = SKColor.FromHsl(random.Next(360), 75, 50 + 15 * random.NextSingle()) };
        canvas.DrawCircle(0, 0, radius, skin);

        using var ink = new SKPaint
        {
            IsAntialias = true, Color = new SKColor(30, 20, 40), StrokeWidth = radius * 0.18f, StrokeCap = SKStrokeCap.Round,
        };
        var (distance, height) = (radius * (0.34f + 0.1f * random.NextSingle()), -radius * (0.2f + 0.15f * random.NextSingle()));
        canvas.DrawCircle(-distance, height, radius * 0.16f, ink);
        canvas.DrawCircle(distance, height, radius * 0.16f, ink);

        // From a frown to a smile.
        ink.Style = SKPaintStyle.Stroke;
        var (width, bend) = (radius * 0.5f, radius * (1.2f * random.NextSingle() - 0.4f));
        using var mouth = new SKPath();
        mouth.MoveTo(-width, radius * 0.4f);
        mouth.QuadTo(0, radius * 0.4f + bend, width, radius * 0.4f);
        canvas.DrawPath(mouth, ink);
    }
}
