using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Text;

namespace MLTransfer.Experiments.Running;

/// <summary>
/// Runs each trial in a process of its own: this program, started anew, serves one trial where it comes to the same experiment. Its memory
/// is given back, and where it crashes a trial has failed.
/// </summary>
/// <param name="plan">The experiment.</param>
/// <param name="experiment">Its number in this program.</param>
/// <param name="threads">Of each process.</param>
internal sealed class ProcessHost(ExperimentPlan plan, int experiment, int threads) : ITrialHost
{
    private const int ShownErrors = 2000;

    public async Task<TrialResult> RunAsync(RunningTrial trial)
    {
        var name = $"mltransfer-{Guid.NewGuid():N}";
        using var server = new NamedPipeServerStream(
            name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        using var pipe = new TrialPipe(server);
        using var process = Start(name);
        using var stop = trial.CancellationToken.Register(() => Kill(process));
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) => Append(errors, line.Data);
        process.OutputDataReceived += (_, _) => { }; // read, so that it is not held up
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        using var memory = new MemoryWatch(
            () => MemoryOf(process), plan.Megabytes, message => trial.End(TrialState.Failed, message));
        try
        {
            var result = await ServeAsync(trial, server, pipe, process).ConfigureAwait(false);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            trial.CancellationToken.ThrowIfCancellationRequested();
            if (result is null)
            {
                string told;
                lock (errors)
                    told = errors.ToString();
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                    $"The process of the trial ended with exit code {process.ExitCode} and no result. {told}").Trim());
            }

            result.PeakMemoryInMegaByte = memory.PeakInMegabytes;
            return result;
        }
        finally
        {
            Kill(process);
        }
    }

    /// <returns>Null where the process ends before it has a result.</returns>
    private async Task<TrialResult?> ServeAsync(RunningTrial trial, NamedPipeServerStream server, TrialPipe pipe, Process process)
    {
        using var gone = new CancellationTokenSource();
        var exit = process.WaitForExitAsync(CancellationToken.None).ContinueWith(_ => gone.Cancel(), TaskScheduler.Default);
        try
        {
            await server.WaitForConnectionAsync(gone.Token).ConfigureAwait(false);
            pipe.Write(new JournalLine.Head(plan.Seed, plan.Tuner.GetType().Name, SpaceText.Of(plan.SearchSpace)));
            foreach (var (step, loss) in trial.Reports)
                pipe.Write(new JournalLine.Report(trial.Settings.TrialId, new TrialReport(step, loss), trial.Place));
            pipe.Write(new JournalLine.Start(trial.Settings, IsGiven: false));
            while (await pipe.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            {
                if (line is JournalLine.End end)
                    return end.Result;
                if (line is JournalLine.Report report)
                    trial.Report(report.Value, report.Place);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // It ended, or was ended: its exit code and what it wrote tell.
        }
        finally
        {
            if (gone.IsCancellationRequested || trial.CancellationToken.IsCancellationRequested)
                await exit.ConfigureAwait(false);
        }

        return null;
    }

    private Process Start(string pipe)
    {
        var arguments = Environment.GetCommandLineArgs();
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This process does not know its program.");
        var isHost = Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        var count = threads.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(program, isHost ? [Path.GetFullPath(arguments[0]), .. arguments[1..]] : arguments[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment =
            {
                [TrialPipe.Variable] = string.Create(CultureInfo.InvariantCulture, $"{experiment}:{pipe}"),
                ["OMP_NUM_THREADS"] = count, ["MKL_NUM_THREADS"] = count, ["DOTNET_PROCESSOR_COUNT"] = threads.ToString("X", null),
            },
        };
        var process = Process.Start(start)!;
        process.StandardInput.Close(); // nobody answers questions
        return process;
    }

    private static long MemoryOf(Process process)
    {
        try
        {
            process.Refresh();
            return process.HasExited ? 0 : process.WorkingSet64;
        }
        catch (InvalidOperationException)
        {
            return 0; // it ended in between
        }
    }

    private static void Append(StringBuilder errors, string? line)
    {
        lock (errors)
        {
            if (line is not null && errors.Length < ShownErrors)
                errors.AppendLine(line);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // it has ended
        }
    }
}
