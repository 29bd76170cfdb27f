using MLTransfer.Torch.Checkpoints;
using ScottPlot;

namespace MLTransfer.Torch.Training;

/// <summary>Draws <c>loss.png</c>.</summary>
internal static class LossPlot
{
    public static void Write(string path, IReadOnlyList<TrainingProgress> history)
    {
        using var plot = new Plot();
        Add("training", history.Where(p => p.Loss is not null).Select(p => (p.Step, p.Loss!.Value)), markers: false);
        Add("validation", history.Where(p => p.ValidationLoss is not null).Select(p => (p.Step, p.ValidationLoss!.Value)), markers: true);
        plot.Title("Loss");
        plot.XLabel("Optimizer step");
        plot.YLabel("Cross-entropy (nats a token)");
        plot.ShowLegend(Alignment.UpperRight);
        var png = plot.GetImageBytes(900, 500, ImageFormat.Png);
        AtomicFile.Write(path, stream => stream.Write(png));

        void Add(string label, IEnumerable<(int Step, double Loss)> values, bool markers)
        {
            var points = values.Where(v => double.IsFinite(v.Loss)).ToList();
            if (points.Count == 0)
                return;
            var line = plot.Add.Scatter(points.Select(p => (double)p.Step).ToArray(), points.Select(p => p.Loss).ToArray());
            line.LegendText = label;
            line.LineWidth = 2;
            line.MarkerSize = markers ? 7 : 0;
        }
    }
}
