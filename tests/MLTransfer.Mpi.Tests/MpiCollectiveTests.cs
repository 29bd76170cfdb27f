using Xunit;

namespace MLTransfer.Mpi.Tests;

public sealed class MpiCollectiveTests
{
    public static TheoryData<string> Launchers => Launcher.All;

    [Theory]
    [MemberData(nameof(Launchers))]
    public async Task Two_ranks_hear_each_other_and_null_references_are_still_found(string launcher)
    {
        var outcome = await Launcher.RunAsync(launcher, "talk");
        outcome.AssertSuccess();
        Assert.Contains("rank 0 of 2", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("rank 1 of 2", outcome.Output, StringComparison.Ordinal);
        Assert.Contains(launcher == "mpirun.openmpi" ? "Open MPI" : "MPICH", outcome.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("mpirun.openmpi", "killed", null)]
    [InlineData("mpirun.mpich", "killed", null)]
    [InlineData("mpirun.openmpi", "unhandled", "a bad row")]
    [InlineData("mpirun.mpich", "unhandled", "a bad row")]
    [InlineData("mpirun.openmpi", "left", "left by an exception")]
    [InlineData("mpirun.mpich", "left", "left by an exception")]
    [InlineData("mpirun.openmpi", "exit", null)]
    [InlineData("mpirun.mpich", "exit", null)]
    public async Task A_rank_that_ends_ends_all_in_seconds(string launcher, string how, string? reason)
    {
        var outcome = await Launcher.RunAsync(launcher, "end", how);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.True(outcome.Elapsed < TimeSpan.FromSeconds(20), $"It took {outcome.Elapsed}.");
        if (reason is null)
            return;
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains($"Rank 1 of 2 ends all", outcome.Errors, StringComparison.Ordinal);
        Assert.Contains(reason, outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processes_that_another_library_started_are_told_instead_of_training_each_alone()
    {
        var outcome = await Launcher.RunAsync("mpirun.mpich", library: "libmpi.so.40", ["talk"]);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains("belongs to another MPI library", outcome.Errors, StringComparison.Ordinal);
    }
}
