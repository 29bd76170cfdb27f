using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training;

/// <summary>Draws <c>loss.png</c>.</summary>
internal static class LossPlot
{
    public static void Write(string path, IReadOnlyList<TrainingProgress> history)
    {
        var plot = new LinePlot("Loss", "Optimizer step", "Cross-entropy (nats a token)");
        plot.Add("training", history.Where(p => p.Loss is not null).Select(p => ((double)p.Step, p.Loss!.Value)), markers: false);
        plot.Add("validation", history.Where(p => p.ValidationLoss is not null).Select(p => ((double)p.Step, p.ValidationLoss!.Value)), markers: true);
        var png = plot.ToPng(900, 500);
        AtomicFile.Write(path, stream => stream.Write(png));
    }
}
