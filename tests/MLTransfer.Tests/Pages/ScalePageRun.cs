using System.Diagnostics;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>The program is started as the page says, in two processes.</summary>
internal sealed class ScalePageRun : PageRun
{
    private const string Launcher = "mpirun.openmpi"; // Debian's name of Open MPI's

    public override string Page => "docs/scale.md";

    public override string Run(PageFolder folder, PageProgram program)
    {
        var code = program.Compile();
        var launcher = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(path => Path.Combine(path, Launcher)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(launcher is null, $"{Launcher} is not installed: apt-get install openmpi-bin");

        // beside the libraries that it uses
        var (output, tests) = (AppContext.BaseDirectory, typeof(ScalePageRun).Assembly.GetName().Name);
        var path = Path.Combine(output, $"ScalePage{Guid.NewGuid():N}.dll");
        File.WriteAllBytes(path, code);
        try
        {
            var start = new ProcessStartInfo(
                launcher,
                [
                    "--oversubscribe", "--bind-to", "none", "-np", "2", "dotnet", "exec", "--depsfile",
                    Path.Combine(output, $"{tests}.deps.json"), "--runtimeconfig",
                    Path.Combine(output, $"{tests}.runtimeconfig.json"), path,
                ])
            {
                WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var printed = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{printed}{errors.Result}");
            return printed;
        }
        finally
        {
            File.Delete(path);
        }
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.True(File.Exists(folder["model.zip"]));
        Assert.Equal(4, File.ReadLines(folder["made.txt"]).Count());
        Assert.True(Directory.Exists(folder["run/checkpoint-4"]));
        Assert.Contains("2 ranks", Assert.Single(printed), StringComparison.Ordinal);
    }
}
