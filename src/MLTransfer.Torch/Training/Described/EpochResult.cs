namespace MLTransfer.Torch.Training.Described;

/// <summary>How one epoch went.</summary>
/// <param name="Epoch">Its number, from 1.</param>
/// <param name="Loss">The mean loss of its rows, each at the time that it was trained on.</param>
/// <param name="Metric">The metric, averaged likewise; <see cref="TrainingHistory.MetricName"/> says which.</param>
/// <param name="ValidationLoss">The loss on the validation rows after the epoch; null where there are none.</param>
/// <param name="ValidationMetric">The metric on the validation rows after the epoch; null where there are none.</param>
/// <param name="Elapsed">Time since training began.</param>
public sealed record EpochResult(
    int Epoch, double Loss, double Metric, double? ValidationLoss, double? ValidationMetric, TimeSpan Elapsed);
