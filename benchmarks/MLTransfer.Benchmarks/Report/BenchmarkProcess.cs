using System.Diagnostics;

namespace MLTransfer.Benchmarks.Report;

/// <summary>This program in a process of its own.</summary>
internal static class BenchmarkProcess
{
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">The process failed.</exception>
    public static string Run(params IReadOnlyList<string> arguments) => Finish(Start([], arguments));

    /// <summary>Starts it, with more in its environment.</summary>
    public static Process Start(IReadOnlyList<(string Name, string Value)> environment, params IReadOnlyList<string> arguments)
    {
        var program = Environment.ProcessPath
            ?? throw new InvalidOperationException("This process has no file that could be started again.");
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            start.ArgumentList.Add(typeof(BenchmarkProcess).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Waits for its end and disposes it.</summary>
    /// <returns>What it printed, as far as nobody has read it.</returns>
    /// <exception cref="InvalidOperationException">The process failed.</exception>
    public static string Finish(Process process)
    {
        using (process)
        {
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output
                : throw new InvalidOperationException(
                    $"The process '{string.Join(' ', process.StartInfo.ArgumentList)}' failed with exit code {process.ExitCode}.");
        }
    }
}
