namespace MLTransfer.Experiments.Tuners;

/// <summary>A trial as tuners see it.</summary>
/// <param name="point">Of the flat space.</param>
internal sealed class TunedTrial(double[] point)
{
    public double[] Point => point;

    public TrialState State { get; set; } = TrialState.Running;

    /// <summary>Of a completed trial, or the last report of a pruned one.</summary>
    public double Loss { get; set; } = double.PositiveInfinity;

    /// <summary>The step of the last report; 0 without any.</summary>
    public int LastStep { get; set; }
}
