using MLTransfer.Torch.Tests.Training;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

/// <summary>In processes of their own: libgomp reads its settings once, and prints them where it is asked to.</summary>
public class ThreadWaitingTests
{
    [Theory]
    [InlineData("TEST_NOTHING", "1", "GOMP_SPINCOUNT = '30000'")]
    [InlineData("TEST_LIBTORCH_FIRST", "1", "GOMP_SPINCOUNT = '300000'")] // too late: as libgomp comes
    [InlineData("GOMP_SPINCOUNT", "77", "GOMP_SPINCOUNT = '77'")]
    [InlineData("OMP_WAIT_POLICY", "active", "OMP_WAIT_POLICY = 'ACTIVE'")]
    public void Threads_that_wait_spin_shortly_where_nobody_has_said_how(string variable, string value, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "libtorch computes by libgomp on Linux.");

        var (exitCode, output) = TrainingProcess.Run([("OMP_DISPLAY_ENV", "VERBOSE"), (variable, value)], "", "Wait");

        Assert.True(exitCode == 0, output);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        if (variable == "OMP_WAIT_POLICY")
            Assert.DoesNotContain("GOMP_SPINCOUNT = '30000'", output, StringComparison.Ordinal);
    }
}
