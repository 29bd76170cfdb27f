using System.Diagnostics;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>A training in a process of its own.</summary>
internal static class TrainingProcess
{
    /// <summary>Starts <see cref="TinyRun"/>, lets it go wrong, and returns its exit code and output.</summary>
    public static (int ExitCode, string Output) Run(string folder, TinyRunKind kind, string misfortune, int step) =>
        Run(folder, kind.ToString(), misfortune, $"{step}");

    /// <summary>Starts the program with arguments of its own, and returns its exit code and output.</summary>
    public static (int ExitCode, string Output) Run(params string[] arguments) => Run([], arguments);

    /// <summary>The same with more in its environment.</summary>
    public static (int ExitCode, string Output) Run(IReadOnlyList<(string Name, string Value)> environment, params string[] arguments)
    {
        const string name = "MLTransfer.Torch.Tests.TrainingProcess";
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var program = Path.Combine(RepositoryFiles.Root, "artifacts", "bin", name, configuration, $"{name}.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_DbgEnableMiniDump"] = "0" },
        };
        foreach (var (variable, value) in environment)
            start.Environment[variable] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = "";
        if (arguments.Contains("wait-to-be-killed"))
        {
            output = process.StandardOutput.ReadLine();
            process.Kill(); // SIGKILL
        }

        output += process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }
}
