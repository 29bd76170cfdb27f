using System.Diagnostics;
using MLTransfer.Logging;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Experiments.Running;

/// <summary>Trials one after another in this process, until the budget is used up or somebody ends it.</summary>
/// <param name="plan">What to do.</param>
/// <param name="history">What was done before, and takes what is done now.</param>
/// <param name="keepBest">Told the result of each trial that is better than all before it, with its model.</param>
internal sealed class ExperimentRun(ExperimentPlan plan, TrialHistory history, Action<TrialResult> keepBest)
{
    private volatile RunningTrial? _current;
    private volatile bool _isToStop;

    /// <summary>Ends the trial that is under way.</summary>
    public void Skip() => _current?.End(TrialState.Skipped);

    /// <summary>Begins no other trial.</summary>
    public void StopAfterCurrent() => _isToStop = true;

    /// <summary>Does trials. One that is under way when the time is over stays open in the journal.</summary>
    /// <param name="cancellationToken">Ends the experiment at once.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var interrupted = history.Replay();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (plan.Time is { } time)
            end.CancelAfter(TimeSpan.FromMilliseconds(Math.Clamp((time - history.Elapsed).TotalMilliseconds, 0, uint.MaxValue - 2.0)));
        while (!end.IsCancellationRequested && !_isToStop && !(history.Results.Count >= plan.Trials) && !(history.Tokens >= plan.Tokens))
        {
            if ((interrupted ?? history.Begin()) is not { } begun)
                return;
            interrupted = null;
            var folder = plan.Folder is null ? null : Path.Combine(plan.Folder, $"trial-{begun.Settings.TrialId}");
            using var trial = new RunningTrial(begun, folder, history.Report, end.Token);
            _current = trial;
            plan.Monitor.ReportRunningTrial(trial.Settings);
            var (result, exception) = await RunAsync(trial, end.Token).ConfigureAwait(false);
            _current = null;
            if (result is null)
                return;
            Record(result, exception);
        }
    }

    /// <returns>Null where the experiment ended before the trial did.</returns>
    private async Task<(TrialResult? Result, Exception? Exception)> RunAsync(RunningTrial trial, CancellationToken end)
    {
        var observer = new TrainingObserver
        {
            Report = trial.Observe, CancellationToken = trial.CancellationToken, Folder = trial.Settings.Folder,
            CheckpointSteps = plan.CheckpointSteps,
        };
        var clock = Stopwatch.StartNew();
        using var memory = new MemoryWatch(plan.Megabytes, message => trial.End(TrialState.Failed, message));
        TrialResult? result = null;
        Exception? exception = null;
        try
        {
            trial.CancellationToken.ThrowIfCancellationRequested();
            result = await Task.Run(
                () =>
                {
                    TrainingObserver.Watch(observer);
                    return plan.Runner.RunAsync(trial.Settings, trial.CancellationToken);
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (trial.Ending is null && end.IsCancellationRequested)
        {
            return (null, null);
        }
        catch (Exception thrown) // whatever a trial does, the others go on
        {
            exception = thrown;
        }

        memory.Look();
        var ended = Result(trial, result, exception);
        (ended.DurationInMilliseconds, ended.Tokens) = (clock.Elapsed.TotalMilliseconds, Math.Max(observer.Tokens, ended.Tokens));
        ended.PeakMemoryInMegaByte ??= memory.PeakInMegabytes;
        return (ended, exception);
    }

    private static TrialResult Result(RunningTrial trial, TrialResult? returned, Exception? exception)
    {
        trial.Settings.EndedAtUtc = DateTime.UtcNow;
        var result = returned ?? new TrialResult { Loss = double.NaN, Metric = double.NaN };
        (result.TrialSettings, result.Reports) = (trial.Settings, trial.Reports);
        if (trial.Ending is { } ending)
        {
            (result.State, result.Error) = ending;
            result.Loss = ending.State == TrialState.Pruned ? trial.Reports[^1].Loss : double.NaN;
        }
        else if (exception is not null)
        {
            (result.State, result.Error) = (TrialState.Failed, $"{exception.GetType().Name}: {exception.Message}");
        }
        else if (!double.IsFinite(result.Loss))
        {
            (result.State, result.Error) = (TrialState.Failed, FormattableString.Invariant($"The loss is {result.Loss}."));
        }

        return result;
    }

    private void Record(TrialResult result, Exception? exception)
    {
        var best = history.Best;
        var isBest = history.End(result);
        if (result.State == TrialState.Failed)
            plan.Monitor.ReportFailTrial(result.TrialSettings, exception ?? new InvalidOperationException(result.Error));
        else
            plan.Monitor.ReportCompletedTrial(result);
        if (isBest)
        {
            plan.Monitor.ReportBestTrial(result);
            keepBest(result);
        }

        var superseded = isBest ? best : result;
        (superseded?.Model as IDisposable)?.Dispose();
        if (superseded is not null)
            superseded.Model = null;
        DeleteCheckpoints(result.TrialSettings.Folder);
    }

    /// <summary>What a trial that ended goes on from is of no use; its curves and pages are.</summary>
    private static void DeleteCheckpoints(string? folder)
    {
        if (folder is null || !Directory.Exists(folder))
            return;
        foreach (var checkpoint in Directory.EnumerateDirectories(folder, "checkpoint-*", SearchOption.AllDirectories).ToList())
            AtomicFolder.Delete(checkpoint);
    }
}
