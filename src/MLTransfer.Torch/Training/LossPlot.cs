using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training;

/// <summary>Draws <c>loss.png</c>.</summary>
internal static class LossPlot
{
    public const string FileName = "loss.png";

    public static void Write(string folder, string lossLabel, params IEnumerable<LossCurve> curves)
    {
        var plot = new LinePlot("Loss", "Optimizer step", lossLabel);
        foreach (var curve in curves)
            plot.Add(curve.Label, curve.Points.Select(point => ((double)point.Step, point.Loss)), curve.HasMarkers);
        var png = plot.ToPng(900, 500);
        AtomicFile.Write(Path.Combine(folder, FileName), stream => stream.Write(png));
    }
}
