using System.ComponentModel;
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
/// <param name="hosting">Has its number in this program, and how long the program may take to come to it.</param>
internal sealed class ProcessHost(ExperimentPlan plan, TrialHosting hosting) : ITrialHost
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
        using var watch = new ResourceWatch(plan, trial, () => UseOf(process));
        try
        {
            var (isServed, result) = await ServeAsync(trial, server, pipe, process).ConfigureAwait(false);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            trial.CancellationToken.ThrowIfCancellationRequested();
            if (result is null)
            {
                string told;
                lock (errors)
                    told = errors.ToString();
                throw isServed
                    ? new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                        $"The process of the trial ended with exit code {process.ExitCode} and no result. {told}").Trim())
                    : new ProgramNotServingException(string.Create(CultureInfo.InvariantCulture,
                        $"The program was started anew, but did not come to the experiment: its process ended with exit code "
                        + $"{process.ExitCode}. {told}").Trim());
            }

            return result;
        }
        finally
        {
            Kill(process);
        }
    }

    /// <returns>Whether the process came to the experiment, and the result; null where it ends before it has one.</returns>
    private async Task<(bool IsServed, TrialResult? Result)> ServeAsync(
        RunningTrial trial, NamedPipeServerStream server, TrialPipe pipe, Process process)
    {
        var isServed = false;
        using var gone = new CancellationTokenSource();
        using var late = CancellationTokenSource.CreateLinkedTokenSource(gone.Token);
        if (hosting.Patience is { } patience)
            late.CancelAfter(patience);
        var exit = process.WaitForExitAsync(CancellationToken.None).ContinueWith(_ => gone.Cancel(), TaskScheduler.Default);
        try
        {
            await server.WaitForConnectionAsync(late.Token).ConfigureAwait(false);
            pipe.Write(JournalHead.Of(plan));
            foreach (var (step, loss) in trial.Reports)
                pipe.Write(new JournalLine.Report(trial.Settings.TrialId, new TrialReport(step, loss), trial.Place));
            pipe.Write(new JournalLine.Start(trial.Settings, IsGiven: false));
            isServed = await pipe.ReadAsync(late.Token).ConfigureAwait(false) is JournalLine.Head; // else it came to another experiment
            late.CancelAfter(Timeout.InfiniteTimeSpan);
            while (await pipe.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            {
                if (line is JournalLine.End end)
                    return (true, end.Result);
                if (line is JournalLine.Report report)
                {
                    trial.Tokens = report.Tokens;
                    trial.Report(report.Value, report.Place);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // It ended, or was ended: its exit code and what it wrote tell.
        }
        finally
        {
            if (late.IsCancellationRequested)
                Kill(process);
            if (late.IsCancellationRequested || trial.CancellationToken.IsCancellationRequested)
                await exit.ConfigureAwait(false);
        }

        return (isServed, null);
    }

    private Process Start(string pipe)
    {
        var start = ProgramStart.Command();
        start.Environment[TrialPipe.Variable] = string.Create(CultureInfo.InvariantCulture, $"{hosting.Experiment}:{pipe}");
        start.Environment[TemporaryExperiments.Variable] = TemporaryExperiments.Root;
        if (plan.Concurrent > 1)
        {
            var threads = Math.Max(1, Threads() / plan.Concurrent);
            start.Environment["OMP_NUM_THREADS"] = start.Environment["MKL_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
            start.Environment["DOTNET_PROCESSOR_COUNT"] = threads.ToString("X", CultureInfo.InvariantCulture); // read as hexadecimal
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close(); // nobody answers questions
        return process;
    }

    /// <summary>The threads that this program computes with.</summary>
    private static int Threads() =>
        int.TryParse(Environment.GetEnvironmentVariable("OMP_NUM_THREADS"), CultureInfo.InvariantCulture, out var threads) && threads > 0
            ? Math.Min(threads, Environment.ProcessorCount) : Environment.ProcessorCount;

    private static (long Bytes, TimeSpan Processors) UseOf(Process process)
    {
        try
        {
            process.Refresh();
            return process.HasExited ? default : (process.WorkingSet64, process.TotalProcessorTime);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            return default; // it ended in between
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
