namespace MLTransfer.Torch.Training.Described;

/// <summary>What a resumed training needs to tell of its epochs.</summary>
/// <param name="Loss">The sum over the rows of the epoch that has begun.</param>
/// <param name="Metric">The sum over them.</param>
/// <param name="Rows">How many there were.</param>
/// <param name="Epochs">Those that are through.</param>
internal sealed record EpochSums(double Loss, double Metric, int Rows, IReadOnlyList<EpochResult> Epochs)
{
    public static EpochSums Zero { get; } = new(0, 0, 0, []);

    /// <summary>With the mean loss and the summed metric of a step's rows added.</summary>
    public EpochSums Add(double loss, double metric, int rows) => this with
    {
        Loss = Loss + loss * rows, Metric = Metric + metric, Rows = Rows + rows,
    };

    /// <summary>With the epoch ended.</summary>
    public EpochSums End(int epoch, ModuleProgress last) => Zero with
    {
        Epochs = [.. Epochs, new EpochResult(epoch, Loss / Rows, Metric / Rows, last.ValidationLoss, last.ValidationMetric, last.Elapsed)],
    };
}
