using System.Diagnostics;

namespace MLTransfer.Benchmarks.Report;

/// <summary>This program in a process of its own.</summary>
internal static class BenchmarkProcess
{
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">The process failed.</exception>
    public static string Run(params IReadOnlyList<string> arguments)
    {
        var program = Environment.ProcessPath
            ?? throw new InvalidOperationException("This process has no file that could be started again.");
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            start.ArgumentList.Add(typeof(BenchmarkProcess).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(
                $"The process '{string.Join(' ', arguments)}' failed with exit code {process.ExitCode}.");
    }
}
