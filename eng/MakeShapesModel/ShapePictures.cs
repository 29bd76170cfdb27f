using SkiaSharp;

namespace MakeShapesModel;

/// <summary>Pictures of one plain shape on a pale ground, drawn at random.</summary>
internal static class ShapePictures
{
    /// <summary>A disc, a square, a triangle, a star or a ring in a strong colour.</summary>
    public static void Draw(SKCanvas canvas, int size, Random random)
    {
        canvas.Clear(SKColor.FromHsl(random.Next(360), 30, 85 + 10 * random.NextSingle()));
        using var paint = new SKPaint
        {
            IsAntialias = true,
            Color = SKColor.FromHsl(random.Next(360), 75, 35 + 25 * random.NextSingle()),
        };
        var radius = size * (0.25f + 0.13f * random.NextSingle());
        canvas.Translate(size * (0.43f + 0.14f * random.NextSingle()), size * (0.43f + 0.14f * random.NextSingle()));
        switch (random.Next(5))
        {
            case 0:
                canvas.DrawCircle(0, 0, radius, paint);
                break;
            case 1:
                canvas.DrawRect(SKRect.Create(-0.85f * radius, -0.85f * radius, 1.7f * radius, 1.7f * radius), paint);
                break;
            case 2:
                DrawPolygon(canvas, paint, Enumerable.Range(0, 3).Select(i => (radius * 1.15f, i / 3.0)));
                break;
            case 3:
                DrawPolygon(canvas, paint, Enumerable.Range(0, 10).Select(i => (i % 2 == 0 ? radius * 1.2f : radius * 0.5f, i / 10.0)));
                break;
            default:
                paint.Style = SKPaintStyle.Stroke;
                paint.StrokeWidth = radius * 0.4f;
                canvas.DrawCircle(0, 0, radius * 0.8f, paint);
                break;
        }
    }

    /// <param name="canvas">Where its centre is the origin.</param>
    /// <param name="paint">Fills it.</param>
    /// <param name="corners">Distance from the centre, and the direction in turns from the top.</param>
    private static void DrawPolygon(SKCanvas canvas, SKPaint paint, IEnumerable<(float Distance, double Turn)> corners)
    {
        using var path = new SKPath();
        path.AddPoly([.. corners.Select(c => new SKPoint(
            c.Distance * (float)Math.Sin(c.Turn * Math.Tau), -c.Distance * (float)Math.Cos(c.Turn * Math.Tau)))]);
        canvas.DrawPath(path, paint);
    }
}
