using System.Globalization;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>
/// The most memory that a process which trains ever has, against the estimate before: GPT-2 with 30 million random parameters, 4 rows of
/// 128 tokens.
/// </summary>
public class MeasuredMemoryTests
{
    [Theory]
    [InlineData("weights")]
    [InlineData("checkpointing")]
    [InlineData("adapters")]
    public void The_peak_of_a_process_that_trains_is_within_15_percent_of_the_estimate(string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak is read from /proc/self/status, which Linux has.");
        Assert.SkipUnless(File.Exists("/lib64/ld-linux-x86-64.so.2"), "The estimate is of glibc's heap, which this system has not.");

        var (exitCode, output) = TrainingProcess.Run("", "MeasureMemory", kind);

        Assert.True(exitCode == 0, output);
        var numbers = output.Trim().Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToList();
        Assert.True(Math.Abs(numbers[1] / numbers[0] - 1) < 0.15, $"Estimated {numbers[0]:N0} bytes, measured {numbers[1]:N0}.");
    }
}
