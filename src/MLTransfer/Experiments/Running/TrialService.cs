using System.IO.Pipes;
using Microsoft.ML;

namespace MLTransfer.Experiments.Running;

/// <summary>Serves the one trial that this process was started for.</summary>
internal static class TrialService
{
    /// <summary>Takes the trial, runs it, tells the result and ends the process.</summary>
    /// <param name="context">Saves the model.</param>
    /// <param name="pipeName">Where the experiment waits.</param>
    /// <param name="planOf">Makes the experiment of a seed.</param>
    /// <param name="schema">Of the rows that models take.</param>
    public static async Task ServeAsync(
        MLContext context, string pipeName, Func<long, ExperimentPlan> planOf, DataViewSchema? schema)
    {
        using var client = new NamedPipeClientStream(".", pipeName, PipeDirection.InOut, PipeOptions.Asynchronous);
        await client.ConnectAsync().ConfigureAwait(false);
        using var pipe = new TrialPipe(client);
        var (plan, reports) = (default(ExperimentPlan), new List<JournalLine.Report>());
        OpenTrial? trial = null;
        while (trial is null)
        {
            switch (await pipe.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                case JournalLine.Head head:
                    plan = planOf(head.Seed);
                    if (JournalHead.Difference(JournalHead.Of(plan), head) is { } difference)
                    {
                        throw new InvalidOperationException(
                            $"The program, started anew for a trial, came to another experiment: it was to have {difference}. Until "
                            + "then it must do the same each time.");
                    }

                    break;
                case JournalLine.Report report:
                    reports.Add(report);
                    break;
                case JournalLine.Start start:
                    trial = new OpenTrial(start.Settings);
                    trial.Reports.AddRange(reports.Select(report => report.Value));
                    trial.Place = reports.Count > 0 ? reports[^1].Place : 0;
                    pipe.Write(JournalHead.Of(plan!));
                    break;
                default:
                    throw new InvalidOperationException("The experiment went away before it said what to try.");
            }
        }

        // Where the experiment ends, it ends this process; where its process is killed, the pipe tells.
        _ = pipe.ReadAsync(CancellationToken.None).ContinueWith(_ => Environment.Exit(3), TaskScheduler.Default);
        RunningTrial? own = null;
        using var running = new RunningTrial(
            trial, FolderOf(plan!, trial.Settings),
            (open, report, place) =>
            {
                open.Reports.Add(report);
                open.Place = place;
                pipe.Write(new JournalLine.Report(open.Settings.TrialId, report, place) { Tokens = own!.Tokens });
                return true;
            },
            CancellationToken.None);
        own = running;
        plan!.Monitor.ReportRunningTrial(running.Settings);
        TrialResult result;
        try
        {
            var host = new InProcessHost(plan with { Megabytes = null, PerformanceMonitor = null }); // who started this process looks at it
            result = await host.RunAsync(running).ConfigureAwait(false);
            result.TrialSettings = running.Settings;
            if (result.Model is { } model)
            {
                var path = Path.Combine(running.Settings.Folder!, BestModel.TrialFile);
                context.Generation.Save(model, schema, path);
                result.ModelSize ??= new FileInfo(path).Length;
            }
        }
        catch (Exception exception) // the experiment records it
        {
            result = new TrialResult
            {
                TrialSettings = running.Settings, State = TrialState.Failed, Loss = double.NaN, Metric = double.NaN,
                Error = $"{exception.GetType().Name}: {exception.Message}",
            };
        }

        pipe.Write(new JournalLine.End(result));
        Environment.Exit(0);
    }

    private static string FolderOf(ExperimentPlan plan, TrialSettings settings) => Path.Combine(
        plan.Folder ?? throw new InvalidOperationException("Trials in processes of their own need a folder."),
        ExperimentRun.FolderOf(settings));
}
