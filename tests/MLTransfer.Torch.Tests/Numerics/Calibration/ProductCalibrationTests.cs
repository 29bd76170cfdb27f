using MLTransfer.Torch.Numerics.Calibration;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics.Calibration;

public class ProductCalibrationTests
{
    [Theory]
    [InlineData(20, 10, true)]
    [InlineData(10, 20, false)]
    public void The_faster_of_two_is_told_from_the_slower(int incumbent, int challenger, bool isTaken)
    {
        var gain = new Race(TimeSpan.FromMilliseconds(100)).Run(() => Thread.Sleep(incumbent), () => Thread.Sleep(challenger));

        Assert.Equal(isTaken, gain.Undisturbed >= Race.Threshold);
        Assert.Equal(isTaken, gain.Usual >= Race.Threshold);
    }

    [Fact]
    public void A_race_ends_after_its_time_and_after_25_rounds()
    {
        var (slow, fast) = (0, 0);
        new Race(TimeSpan.FromMilliseconds(1)).Run(() => Thread.Sleep(30), () => slow++);
        new Race(TimeSpan.FromSeconds(100)).Run(() => { }, () => fast++);

        Assert.Equal((1 + 2, 1 + 25), (slow, fast)); // the first is not timed
    }

    [Fact]
    public void The_usual_number_of_threads_comes_back()
    {
        var before = get_num_threads();
        ProductShape[] shapes = [new MatrixShape(256, 1024), new ConvolutionShape(16, 64)];
        foreach (var shape in shapes)
        {
            var choice = ProductCalibration.Run(shape, ScalarType.Float32, mayChangeType: false, threads: 2, mayChangeThreads: true);
            Assert.Equal(ScalarType.Float32, choice.Type);
            Assert.Contains(choice.Threads, (int[])[1, 2]);
            Assert.Contains("as fast as", choice.Findings, StringComparison.Ordinal);
        }

        Assert.Equal(before, get_num_threads());
    }

    [Theory]
    [InlineData(1, 8, new int[0])]
    [InlineData(2, 2, new[] { 1 })]
    [InlineData(8, 8, new[] { 4 })]
    [InlineData(64, 2, new[] { 2, 1 })] // a container with a quota on a large machine
    public void Fewer_threads_are_tried(int threads, int processors, int[] expected) =>
        Assert.Equal(expected, ProductCalibration.OtherThreads(threads, processors));
}
