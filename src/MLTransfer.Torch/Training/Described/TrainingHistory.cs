using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Described;

/// <summary>How training went, epoch by epoch; no epochs where there was none.</summary>
public sealed record TrainingHistory
{
    /// <summary>Of a network that was not trained.</summary>
    internal static TrainingHistory None { get; } = new() { Epochs = [], MetricName = "", ModelEpoch = 0, StoppedEarly = false };

    /// <summary>The epochs in order.</summary>
    public required IReadOnlyList<EpochResult> Epochs { get; init; }

    /// <summary>What the metric is: mean absolute error for the squared and the absolute error, accuracy for cross-entropies.</summary>
    public required string MetricName { get; init; }

    /// <summary>The epoch, from 1, whose weights the network has.</summary>
    public required int ModelEpoch { get; init; }

    /// <summary>Whether training ended because the validation loss did not fall any more.</summary>
    public required bool StoppedEarly { get; init; }

    /// <summary>Whether it was asked to end before its last step (<c>StopAndKeep</c>).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool StoppedOnRequest { get; init; }
}
