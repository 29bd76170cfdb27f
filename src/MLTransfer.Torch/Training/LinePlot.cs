using MLTransfer.Torch.Training.Reports;
using SkiaSharp;

namespace MLTransfer.Torch.Training;

/// <summary>
/// Lines over one axis each way, as a PNG. It needs no more than the SkiaSharp that is there for images, in the version that ML.NET's need,
/// and where a machine has no fonts, as in most containers, it draws the lines without words: OxyPlot, which also works with that version,
/// brings another native library and fails there, at the end of a run.
/// </summary>
internal sealed class LinePlot(string title, string xLabel, string yLabel)
{
    private const int Left = 80, Right = 20, Top = 45, Bottom = 60;

    private static readonly SKColor[] s_colors = [new(0x1f, 0x77, 0xb4), new(0xff, 0x7f, 0x0e), new(0x2c, 0xa0, 0x2c)];

    private readonly List<(string Label, List<(double X, double Y)> Points, bool Markers)> _lines = [];

    /// <summary>Adds a line; points that are not finite are left out, and so is a line without points.</summary>
    public void Add(string label, IEnumerable<(double X, double Y)> points, bool markers)
    {
        var finite = points.Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y)).ToList();
        if (finite.Count > 0)
            _lines.Add((label, finite, markers));
    }

    public byte[] ToPng(int width, int height)
    {
        using var surface = SKSurface.Create(new SKImageInfo(width, height));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        var points = _lines.SelectMany(line => line.Points).ToList();
        var (xTicks, yTicks) = (AxisTicks.Around(points.Select(point => point.X)), AxisTicks.Around(points.Select(point => point.Y)));
        float X(double x) => (float)(Left + (x - xTicks[0]) / (xTicks[^1] - xTicks[0]) * (width - Left - Right));
        float Y(double y) => (float)(height - Bottom - (y - yTicks[0]) / (yTicks[^1] - yTicks[0]) * (height - Top - Bottom));

        using var grid = new SKPaint { Color = new SKColor(0xdd, 0xdd, 0xdd), StrokeWidth = 1 };
        using var text = new SKPaint { Color = SKColors.Black, TextSize = 14, IsAntialias = true, TextAlign = SKTextAlign.Center };
        foreach (var tick in xTicks)
        {
            canvas.DrawLine(X(tick), Top, X(tick), height - Bottom, grid);
            canvas.DrawText(AxisTicks.Format(tick), X(tick), height - Bottom + 20, text);
        }

        foreach (var tick in yTicks)
        {
            canvas.DrawLine(Left, Y(tick), width - Right, Y(tick), grid);
            canvas.DrawText(AxisTicks.Format(tick), Left - 30, Y(tick) + 5, text);
        }

        canvas.DrawText(xLabel, (Left + width - Right) / 2f, height - 15, text);
        canvas.Save();
        canvas.RotateDegrees(-90);
        canvas.DrawText(yLabel, -(Top + height - Bottom) / 2f, 20, text);
        canvas.Restore();
        for (var i = 0; i < _lines.Count; i++)
            DrawLine(canvas, i, X, Y);
        if (_lines.Count > 0)
            DrawLegend(canvas, width - Right);
        text.TextSize = 18;
        canvas.DrawText(title, (Left + width - Right) / 2f, 28, text);

        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    private void DrawLine(SKCanvas canvas, int index, Func<double, float> x, Func<double, float> y)
    {
        var (_, points, markers) = _lines[index];
        using var paint = LinePaint(index);
        for (var i = 0; i < points.Count; i++)
        {
            if (i > 0)
                canvas.DrawLine(x(points[i - 1].X), y(points[i - 1].Y), x(points[i].X), y(points[i].Y), paint);
            if (markers || points.Count == 1)
                canvas.DrawCircle(x(points[i].X), y(points[i].Y), 3.5f, paint);
        }
    }

    /// <summary>The lines' labels in the upper right corner, as wide as the longest of them.</summary>
    private void DrawLegend(SKCanvas canvas, float right)
    {
        const int Sample = 25, Space = 8, LineHeight = 20;
        using var text = new SKPaint { Color = SKColors.Black, TextSize = 14, IsAntialias = true };
        var textLeft = right - 2 * Space - _lines.Max(line => text.MeasureText(line.Label));
        var left = textLeft - Space - Sample;
        using var ground = new SKPaint { Color = SKColors.White.WithAlpha(0xD8) };
        canvas.DrawRect(SKRect.Create(left - Space, Top + Space, right - left, _lines.Count * LineHeight + Space), ground);
        for (var i = 0; i < _lines.Count; i++)
        {
            var baseline = Top + Space + LineHeight * (i + 1) - 2;
            using var paint = LinePaint(i);
            canvas.DrawLine(left, baseline - 5, left + Sample, baseline - 5, paint);
            canvas.DrawText(_lines[i].Label, textLeft, baseline, text);
        }
    }

    private static SKPaint LinePaint(int index) =>
        new() { Color = s_colors[index % s_colors.Length], StrokeWidth = 2, IsAntialias = true };
}
