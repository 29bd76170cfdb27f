using System.Diagnostics;
using System.Globalization;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Experiments.Running;

/// <summary>Trials, one or several at a time, until the budget is used up or somebody ends it.</summary>
/// <param name="plan">What to do.</param>
/// <param name="history">What was done before, and takes what is done now.</param>
/// <param name="host">Runs trials.</param>
/// <param name="best">Keeps the best model.</param>
/// <param name="ended">Called after each trial.</param>
internal sealed class ExperimentRun(ExperimentPlan plan, TrialHistory history, ITrialHost host, BestModel best, Action ended)
{
    private readonly List<RunningTrial> _running = []; // locked: others skip
    private volatile bool _isToStop;

    /// <summary>The name of a trial's folder.</summary>
    public static string FolderOf(TrialSettings settings) => string.Create(CultureInfo.InvariantCulture, $"trial-{settings.TrialId}");

    /// <summary>Ends the trial that is under way, of several the one that began first.</summary>
    public void Skip()
    {
        RunningTrial? trial;
        lock (_running)
            trial = _running.FirstOrDefault();
        trial?.End(TrialState.Skipped);
    }

    /// <summary>Begins no other trial.</summary>
    public void StopAfterCurrent() => _isToStop = true;

    /// <summary>Does trials. What is under way when the time is over stays open in the journal.</summary>
    /// <param name="cancellationToken">Ends the experiment at once.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var interrupted = new Queue<OpenTrial>(history.Replay());
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (plan.Time is { } time)
            end.CancelAfter(TimeSpan.FromMilliseconds(Math.Clamp((time - history.Elapsed).TotalMilliseconds, 0, uint.MaxValue - 2.0)));
        var tasks = new List<Task<Outcome>>();
        var isExhausted = false;
        while (true)
        {
            while (tasks.Count < plan.Concurrent && !end.IsCancellationRequested && !_isToStop && !(history.Tokens >= plan.Tokens)
                && (interrupted.TryDequeue(out var trial) || !isExhausted && !(history.Next >= plan.Trials)))
            {
                trial ??= history.Begin();
                if (trial is null)
                    isExhausted = true;
                else
                    tasks.Add(BeginAsync(trial, end.Token));
            }

            if (tasks.Count == 0)
                return;
            var task = await Task.WhenAny(tasks).ConfigureAwait(false);
            tasks.Remove(task);
            var outcome = await task.ConfigureAwait(false);
            if (outcome.Result is not { } result)
                continue;
            Record(result, outcome.Exception);
            ended();
        }
    }

    private Task<Outcome> BeginAsync(OpenTrial begun, CancellationToken end)
    {
        var trial = new RunningTrial(
            begun, plan.Folder is null ? null : Path.Combine(plan.Folder, FolderOf(begun.Settings)), history.Report, end);
        lock (_running)
            _running.Add(trial);
        plan.Monitor.ReportRunningTrial(trial.Settings);
        return RunAsync(trial, end);
    }

    private async Task<Outcome> RunAsync(RunningTrial trial, CancellationToken end)
    {
        var clock = Stopwatch.StartNew();
        TrialResult? returned = null;
        Exception? exception = null;
        try
        {
            trial.CancellationToken.ThrowIfCancellationRequested();
            returned = await host.RunAsync(trial).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (trial.Ending is null && end.IsCancellationRequested)
        {
            return new Outcome(null, null);
        }
        catch (Exception thrown) // whatever a trial does, the others go on
        {
            exception = thrown;
        }
        finally
        {
            lock (_running)
                _running.Remove(trial);
            trial.Dispose();
        }

        var result = Result(trial, returned, exception);
        result.DurationInMilliseconds = clock.Elapsed.TotalMilliseconds;
        return new Outcome(result, exception);
    }

    private static TrialResult Result(RunningTrial trial, TrialResult? returned, Exception? exception)
    {
        trial.Settings.EndedAtUtc = DateTime.UtcNow;
        var result = returned ?? new TrialResult { Loss = double.NaN, Metric = double.NaN };
        (result.TrialSettings, result.Reports) = (trial.Settings, trial.Reports);
        result.Tokens = Math.Max(result.Tokens, trial.Tokens);
        if (trial.Peaks is { } peaks)
            (result.PeakMemoryInMegaByte, result.PeakCpu) = peaks;
        if (trial.Ending is { } ending)
        {
            (result.State, result.Error) = ending;
            result.Loss = ending.State == TrialState.Pruned ? trial.Reports[^1].Loss : double.NaN;
        }
        else if (exception is not null)
        {
            (result.State, result.Error) = (TrialState.Failed, $"{exception.GetType().Name}: {exception.Message}");
        }
        else if (result.State == TrialState.Completed && !double.IsFinite(result.Loss))
        {
            (result.State, result.Error) = (TrialState.Failed, FormattableString.Invariant($"The loss is {result.Loss}."));
        }

        return result;
    }

    private void Record(TrialResult result, Exception? exception)
    {
        var before = history.Best;
        var isBest = history.End(result);
        if (result.State == TrialState.Failed)
            plan.Monitor.ReportFailTrial(result.TrialSettings, exception ?? new InvalidOperationException(result.Error));
        else
            plan.Monitor.ReportCompletedTrial(result);
        if (isBest)
        {
            plan.Monitor.ReportBestTrial(result);
            best.Keep(result);
        }

        var superseded = isBest ? before : result;
        (superseded?.Model as IDisposable)?.Dispose();
        if (superseded is not null)
            superseded.Model = null;
        DeleteCheckpoints(result.TrialSettings.Folder);
    }

    /// <summary>What a trial that ended goes on from is of no use, nor is a worse model; its curves and pages are.</summary>
    private static void DeleteCheckpoints(string? folder)
    {
        if (folder is null || !Directory.Exists(folder))
            return;
        File.Delete(Path.Combine(folder, BestModel.TrialFile));
        foreach (var checkpoint in Directory.EnumerateDirectories(folder, "checkpoint-*", SearchOption.AllDirectories).ToList())
            AtomicFolder.Delete(checkpoint);
        if (!Directory.EnumerateFileSystemEntries(folder).Any())
            Directory.Delete(folder);
    }

    /// <param name="Result">Null where the experiment ended before the trial did.</param>
    /// <param name="Exception">What the trial threw.</param>
    private sealed record Outcome(TrialResult? Result, Exception? Exception);
}
