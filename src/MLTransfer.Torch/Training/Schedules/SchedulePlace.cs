namespace MLTransfer.Torch.Training.Schedules;

/// <summary>Where in its schedule a run is.</summary>
/// <param name="Schedule">Which one it is.</param>
/// <param name="Step">Steps done before.</param>
/// <param name="WarmupSteps">Those in which the rate rises.</param>
/// <param name="TotalSteps">Those of the run.</param>
/// <param name="LearningRate">The peak.</param>
internal readonly record struct SchedulePlace(
    LearningRateSchedule Schedule, int Step, int WarmupSteps, int TotalSteps, double LearningRate)
{
    public bool IsWarmup => Step < WarmupSteps;

    /// <summary>The part of the peak that a warm-up in a straight line from 0 has reached.</summary>
    public double Warmup => (double)Step / WarmupSteps;

    /// <summary>The part of the way from the end of the warm-up to the end of the run.</summary>
    public double Progress => (double)(Step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
}
