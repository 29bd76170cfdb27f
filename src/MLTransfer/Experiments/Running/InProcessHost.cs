using MLTransfer.Logging;

namespace MLTransfer.Experiments.Running;

/// <summary>Runs trials in this process.</summary>
internal sealed class InProcessHost(ExperimentPlan plan) : ITrialHost
{
    public async Task<TrialResult> RunAsync(RunningTrial trial)
    {
        var observer = new TrainingObserver
        {
            Report = trial.Observe, CancellationToken = trial.CancellationToken, Folder = trial.Settings.Folder,
            CheckpointSteps = plan.CheckpointSteps,
        };
        using var folder = await TrialLock.TakeAsync(trial.Settings.Folder, trial.CancellationToken).ConfigureAwait(false);
        using var memory = new MemoryWatch(
            () => Environment.WorkingSet, plan.Megabytes, message => trial.End(TrialState.Failed, message));
        var result = await Task.Run(
            () =>
            {
                TrainingObserver.Watch(observer);
                return plan.Runner.RunAsync(trial.Settings, trial.CancellationToken);
            },
            CancellationToken.None).ConfigureAwait(false);
        memory.Look();
        result.PeakMemoryInMegaByte ??= memory.PeakInMegabytes;
        result.Tokens = Math.Max(observer.Tokens, result.Tokens);
        return result;
    }
}
