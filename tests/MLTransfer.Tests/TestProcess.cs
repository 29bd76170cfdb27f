using System.Diagnostics;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>A process for what may end, or shall end, the process: see <c>tests/MLTransfer.Tests.ChildProcess</c>.</summary>
internal static class TestProcess
{
    private const string Name = "MLTransfer.Tests.ChildProcess";

    /// <summary>Starts it; what it prints is for the caller to read.</summary>
    public static Process Start(string folder, params IEnumerable<string> arguments) => Start(folder, [], arguments);

    /// <summary>Runs it to its end.</summary>
    public static Task<(int ExitCode, string Output, string Errors)> RunAsync(string folder, params IEnumerable<string> arguments) =>
        RunAsync(folder, [], arguments);

    /// <summary>The same with more in its environment.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string folder, IReadOnlyList<(string Name, string Value)> environment, params IEnumerable<string> arguments)
    {
        using var process = Start(folder, environment, arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }

    private static Process Start(string folder, IReadOnlyList<(string Name, string Value)> environment, IEnumerable<string> arguments)
    {
        // It has an output folder like that of the tests, next to it.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", Name, configuration, Name + ".dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_DbgEnableMiniDump"] = "0",
                ["OMP_NUM_THREADS"] = "1", // as many as the tests have: other numbers of threads add in another order
            },
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
