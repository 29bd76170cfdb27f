using MLTransfer.Logging;
using MLTransfer.Torch.Training;

namespace MLTransfer.Experiments.Running;

/// <summary>Runs trials in this process.</summary>
internal sealed class InProcessHost(ExperimentPlan plan) : ITrialHost
{
    public async Task<TrialResult> RunAsync(RunningTrial trial)
    {
        TrainingObserver? observer = null;
        observer = new TrainingObserver
        {
            Report = (training, step, loss) =>
            {
                trial.Tokens = observer!.Tokens;
                return trial.Observe(training, step, loss);
            },
            CancellationToken = trial.CancellationToken, Folder = trial.Settings.Folder,
            CheckpointSteps = plan.CheckpointSteps,
        };
        using var folder = await TrialLock.TakeAsync(trial.Settings.Folder, trial.CancellationToken).ConfigureAwait(false);
        using var watch = new ResourceWatch(plan, trial, () => (Environment.WorkingSet, Environment.CpuUsage.TotalTime));
        var result = await Task.Run(
            () =>
            {
                TrainingObserver.Watch(observer);
                SharedChoices.ShareIn(plan.Folder);
                return plan.Runner.RunAsync(trial.Settings, trial.CancellationToken);
            },
            CancellationToken.None).ConfigureAwait(false);
        result.Tokens = Math.Max(observer.Tokens, result.Tokens);
        return result;
    }
}
