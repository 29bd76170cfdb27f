using Microsoft.ML;

namespace MLTransfer.Experiments;

/// <summary>How a trial ended.</summary>
public class TrialResult
{
    /// <summary>The trial.</summary>
    public TrialSettings TrialSettings { get; set; } = new();

    /// <summary>How it ended.</summary>
    public TrialState State { get; set; } = TrialState.Completed;

    /// <summary>What the experiment makes small; NaN where the trial failed.</summary>
    public double Loss { get; set; }

    /// <summary>What was measured, such as an accuracy, of which the loss is made.</summary>
    public double Metric { get; set; }

    /// <summary>What was fitted; null where it is not kept or cannot be had: after a pruned trial, and from the journal.</summary>
    public ITransformer? Model { get; set; }

    /// <summary>How long it took.</summary>
    public double DurationInMilliseconds { get; set; }

    /// <summary>The most memory of the process while it ran, beyond what there was before; null where it was not measured.</summary>
    public double? PeakMemoryInMegaByte { get; set; }

    /// <summary>
    /// The largest share of the time of all processors that the process had between two looks, from 0 to 1; null where it was not measured.
    /// </summary>
    public double? PeakCpu { get; set; }

    /// <summary>The size of what was fitted, in bytes; null where it is not known.</summary>
    public long? ModelSize { get; set; }

    /// <summary>The tokens that language models were trained on.</summary>
    public long Tokens { get; set; }

    /// <summary>The losses on the way.</summary>
    public IReadOnlyList<TrialReport> Reports { get; set; } = [];

    /// <summary>Why it failed; null where it did not.</summary>
    public string? Error { get; set; }
}
