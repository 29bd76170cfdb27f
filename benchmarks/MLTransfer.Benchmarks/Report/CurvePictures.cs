using ScottPlot;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Draws scaling curves: one picture for each model and axis, speed above memory.</summary>
internal static class CurvePictures
{
    /// <summary>Gives the paths of the pictures.</summary>
    public static IEnumerable<string> Write(string folder, IEnumerable<CurvePoint> points)
    {
        foreach (var curve in points.GroupBy(point => (point.Measured.Model, point.Axis)))
        {
            var path = Path.Combine(folder, $"{FileName(curve.Key.Model)}-{FileName(Label(curve.Key.Axis))}.png");
            Write(path, curve.Key.Model, curve.Key.Axis, [.. curve.OrderBy(point => point.Value)]);
            yield return path;
        }
    }

    private static void Write(string path, string model, CurveAxis axis, CurvePoint[] points)
    {
        var picture = new Multiplot();
        picture.AddPlots(2);
        Draw(picture.GetPlot(0), "tokens a second", point => point.Measured.TokensPerSecond);
        Draw(picture.GetPlot(1), "peak memory (GB)", point => point.Measured.PeakBytes / 1e9);
        picture.GetPlot(0).Title($"Training {model}, {points[0].Measured.Variant}");
        picture.SavePng(path, 800, 800);

        void Draw(Plot plot, string label, Func<CurvePoint, double> value)
        {
            var line = plot.Add.Scatter(points.Select(point => (double)point.Value).ToArray(), points.Select(value).ToArray());
            line.LineWidth = 2;
            line.MarkerSize = 8;
            plot.XLabel(Label(axis));
            plot.YLabel(label);
            plot.Axes.SetLimitsY(0, 1.1 * points.Max(value));
        }
    }

    private static string Label(CurveAxis axis) => axis switch
    {
        CurveAxis.BatchSize => "batch size",
        CurveAxis.Length => "sequence length",
        _ => "threads",
    };

    private static string FileName(string text) =>
        string.Concat(text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
}
