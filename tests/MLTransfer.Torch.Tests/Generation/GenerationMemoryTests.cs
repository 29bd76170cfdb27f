using MLTransfer.Torch.Generation;
using TorchSharp;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

[Collection(ProcessWideState.Name)]
public class GenerationMemoryTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    private static long LiveTensors => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    [Fact]
    public void No_token_leaves_a_tensor_behind()
    {
        var counts = new List<long>();
        var options = new GenerationOptions { MaximumNewTokens = 300, EndOfSequenceIds = [], Sample = true, Seed = 1 };
        var before = LiveTensors;
        tiny.TokenGenerator.Generate([TinyGenerator.Prompts[0]], options, () => new Counter(counts), TestContext.Current.CancellationToken);
        Assert.Equal(300, counts.Count);
        Assert.All(counts, count => Assert.Equal(counts[0], count));
        Assert.Equal(before, LiveTensors);
    }

    [Theory]
    [MemberData(nameof(BatchIndependenceTests.Options), MemberType = typeof(BatchIndependenceTests))]
    public void Generation_leaves_no_tensor_behind(string name, GenerationOptions options)
    {
        var before = LiveTensors;
        tiny.TokenGenerator.Generate(TinyGenerator.Prompts, options, TestContext.Current.CancellationToken);
        Assert.True(before == LiveTensors, $"{name}: {LiveTensors - before} tensors more");
    }

    [Fact]
    public void Generation_that_is_cancelled_leaves_no_tensor_behind()
    {
        using var cancellation = new CancellationTokenSource();
        var before = LiveTensors;
        Assert.Throws<OperationCanceledException>(() => tiny.TokenGenerator.Generate(
            TinyGenerator.Prompts, new GenerationOptions(), () => new Canceller(cancellation), cancellation.Token));
        Assert.Equal(before, LiveTensors);
    }

    private sealed class Counter(List<long> counts) : ITokenMonitor
    {
        public bool Append(int token)
        {
            counts.Add(LiveTensors);
            return false;
        }
    }

    private sealed class Canceller(CancellationTokenSource cancellation) : ITokenMonitor
    {
        public bool Append(int token)
        {
            cancellation.Cancel();
            return false;
        }
    }
}
