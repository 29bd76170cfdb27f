using MLTransfer.Torch.Checkpoints;
using ScottPlot;

namespace MLTransfer.Torch.Training;

/// <summary>Draws <c>loss.png</c>.</summary>
internal static class LossPlot
{
    public const string FileName = "loss.png";

    public static void Write(string folder, string lossLabel, params IEnumerable<LossCurve> curves)
    {
        using var plot = new Plot();
        foreach (var curve in curves)
        {
            var points = curve.Points.Where(v => double.IsFinite(v.Loss)).ToList();
            if (points.Count == 0)
                continue;
            var line = plot.Add.Scatter(points.Select(p => (double)p.Step).ToArray(), points.Select(p => p.Loss).ToArray());
            line.LegendText = curve.Label;
            line.LineWidth = 2;
            line.MarkerSize = curve.HasMarkers ? 7 : 0;
        }

        plot.Title("Loss");
        plot.XLabel("Optimizer step");
        plot.YLabel(lossLabel);
        plot.ShowLegend(Alignment.UpperRight);
        var png = plot.GetImageBytes(900, 500, ImageFormat.Png);
        AtomicFile.Write(Path.Combine(folder, FileName), stream => stream.Write(png));
    }
}
