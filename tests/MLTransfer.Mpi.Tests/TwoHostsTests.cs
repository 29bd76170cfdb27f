using System.Diagnostics;
using Xunit;

namespace MLTransfer.Mpi.Tests;

/// <summary>Hosts that are network namespaces (eng/two-hosts.sh): they need root, and are made where a variable asks for them.</summary>
public sealed class TwoHostsTests
{
    private const string Variable = "MLTRANSFER_TWO_HOSTS";

    [Fact]
    public async Task Ranks_on_two_hosts_hear_each_other() =>
        (await RunAsync(TimeSpan.FromMinutes(1), cut: null, "talk")).AssertSuccess();

    [Fact]
    public async Task A_cut_wire_ends_both_in_seconds_with_the_settings_of_the_page()
    {
        var settings = File.ReadLines(Path.Combine(RepositoryFiles.Root, "docs/scale.md"))
            .Single(line => line.Contains("oob_tcp_keepalive_time", StringComparison.Ordinal)).Split(" dotnet ")[0].Trim();
        var outcome = await RunAsync(TimeSpan.FromMinutes(1), cut: 5, "end", "never", settings);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.True(outcome.Elapsed < TimeSpan.FromSeconds(45), $"It took {outcome.Elapsed}.");
        Assert.Contains("lost communication", outcome.Errors + outcome.Output, StringComparison.Ordinal);
    }

    private static Task<Launcher.Outcome> RunAsync(
        TimeSpan limit, int? cut, string command, string argument = "", string settings = "")
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable(Variable) is null, $"{Variable} is not set; it takes root.");
        var start = new ProcessStartInfo(
            Path.Combine(RepositoryFiles.Root, "eng/two-hosts.sh"), ["dotnet", Launcher.ProgramPath(), command, argument]);
        start.Environment["CUT"] = cut?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["MPIRUN_ARGS"] = settings;
        return Launcher.RunAsync(start, limit);
    }
}
