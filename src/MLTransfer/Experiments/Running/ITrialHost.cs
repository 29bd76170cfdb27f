namespace MLTransfer.Experiments.Running;

/// <summary>Where trials run.</summary>
internal interface ITrialHost
{
    /// <summary>Runs a trial to its end.</summary>
    /// <exception cref="Exception">It failed, or was ended.</exception>
    Task<TrialResult> RunAsync(RunningTrial trial);
}
