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
        var numbers = Numbers(output);
        Assert.True(Math.Abs(numbers[1] / numbers[0] - 1) < 0.15, $"Estimated {numbers[0]:N0} bytes, measured {numbers[1]:N0}.");
    }

    [Theory]
    [InlineData("102M", 204e6, 600e6)] // a second copy, or widened weights, are 204 MB more
    [InlineData("1.5B", 3.09e9, 5e9)]
    public void Adapters_on_a_checkpoint_in_bfloat16_take_its_size_and_little_more(string size, double bytes, double most)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak is read from /proc/self/status, which Linux has.");
        Assert.SkipUnless(File.Exists("/lib64/ld-linux-x86-64.so.2"), "The bound is for glibc's heap, which this system has not.");
        Assert.SkipUnless(
            size != "1.5B" || Environment.GetEnvironmentVariable("MLTRANSFER_SOAK") is not null, "Set MLTRANSFER_SOAK: it takes minutes.");
        using var folder = new TemporaryFolder();
        var made = TrainingProcess.Run(folder.Path, "MakeCheckpoint", size);
        Assert.True(made.ExitCode == 0, made.Output);

        var (exitCode, output) = TrainingProcess.Run(folder.Path, "MeasureCheckpoint", size);

        Assert.True(exitCode == 0, output);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        var numbers = Numbers(output);
        Assert.InRange(numbers[1], bytes, bytes + 250e6); // loaded and read
        Assert.InRange(numbers[2], bytes, most);
        Assert.True(Math.Abs(numbers[2] / numbers[0] - 1) < 0.15, $"Estimated {numbers[0]:N0} bytes, measured {numbers[2]:N0}.");
    }

    [Theory]
    [InlineData("102M", "Int8", 400e6, 490e6)]
    [InlineData("1.5B", "Int8", 1.6e9, 2.5e9)]
    [InlineData("1.5B", "Int4", 0.95e9, 1.8e9)]
    public void Adapters_on_a_base_in_few_bits_take_its_size_and_little_more(string size, string format, double least, double most)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak is read from /proc/self/status, which Linux has.");
        Assert.SkipUnless(File.Exists("/lib64/ld-linux-x86-64.so.2"), "The bound is for glibc's heap, which this system has not.");
        Assert.SkipUnless(
            size != "1.5B" || Environment.GetEnvironmentVariable("MLTRANSFER_SOAK") is not null, "Set MLTRANSFER_SOAK: it takes minutes.");
        using var folder = new TemporaryFolder();
        var made = TrainingProcess.Run(folder.Path, "MakeCheckpoint", size);
        Assert.True(made.ExitCode == 0, made.Output);

        var (exitCode, output) = TrainingProcess.Run(folder.Path, "MeasureCheckpoint", size, format);

        Assert.True(exitCode == 0, output);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        Assert.InRange(Numbers(output)[2], least, most);
    }

    [Theory]
    [InlineData("train")]
    [InlineData("evaluate")]
    [InlineData("generate")]
    public void Logits_of_a_large_vocabulary_are_never_held_as_a_whole(string use)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak is read from /proc/self/status, which Linux has.");
        var (exitCode, output) = TrainingProcess.Run("", "MeasureLogits", use);

        Assert.True(exitCode == 0, output);
        Assert.InRange(Numbers(output)[0], 100e6, 550e6); // they alone would be 1.2 GB
    }

    private static List<double> Numbers(string output) =>
        [.. output.Trim().Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
}
