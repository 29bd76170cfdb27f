using System.Diagnostics;
using Xunit;

namespace MLTransfer.Mpi.Tests;

/// <summary>Starts <c>tests/MLTransfer.Mpi.Tests.RankProcess</c> in two processes by one of the MPI libraries that are installed.</summary>
internal static class Launcher
{
    private const string Name = "MLTransfer.Mpi.Tests.RankProcess";

    /// <summary>The launchers of Debian's packages openmpi-bin and mpich.</summary>
    public static TheoryData<string> All => ["mpirun.openmpi", "mpirun.mpich"];

    /// <summary>Runs two ranks to their end.</summary>
    /// <param name="launcher">Of <see cref="All"/>; the test is skipped where it is not installed.</param>
    /// <param name="arguments">Of the program.</param>
    public static Task<Outcome> RunAsync(string launcher, params string[] arguments) =>
        RunAsync(launcher, library: null, arguments);

    /// <summary>The same with a library that is named.</summary>
    public static async Task<Outcome> RunAsync(string launcher, string? library, string[] arguments)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, launcher))
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{launcher} is not installed: apt-get install openmpi-bin mpich");
        string[] options = launcher == "mpirun.openmpi"
            ? ["--oversubscribe", "--bind-to", "none", "-np", "2"] : ["-np", "2"];
        var start = new ProcessStartInfo(path, [.. options, "dotnet", ProgramPath(), .. arguments]);
        start.Environment["MLTRANSFER_MPI_LIBRARY"] = library;
        return await RunAsync(start);
    }

    /// <summary>Runs the program by itself.</summary>
    public static Task<Outcome> RunAloneAsync(params string[] arguments) =>
        RunAsync(new ProcessStartInfo("dotnet", [ProgramPath(), .. arguments]));

    /// <summary>Runs what starts ranks; it fails where they do not end in time.</summary>
    public static async Task<Outcome> RunAsync(ProcessStartInfo start, TimeSpan? time = null)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(time ?? TimeSpan.FromMinutes(2));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The ranks did not end: {await output}{await errors}");
        }

        return new(process.ExitCode, await output, await errors, clock.Elapsed);
    }

    /// <summary>The program that ranks are.</summary>
    public static string ProgramPath()
    {
        // It has an output folder like that of the tests, next to it.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", Name, configuration, Name + ".dll"));
    }

    internal sealed record Outcome(int ExitCode, string Output, string Errors, TimeSpan Elapsed)
    {
        public void AssertSuccess() => Assert.True(ExitCode == 0, $"{ExitCode}: {Output}{Errors}");
    }
}
