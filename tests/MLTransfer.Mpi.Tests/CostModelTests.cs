using ScaleTable;
using Xunit;

namespace MLTransfer.Mpi.Tests;

/// <summary>Numbers of GPT-2 with 124 million parameters over 10 gigabits, by hand.</summary>
public class CostModelTests
{
    private static readonly CostModel s_gpt2 = new(StepSeconds: 2.9, TrainedParameters: 124e6, BytesPerSecond: 1e9, Latency: 40e-6);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0.496 + 2 * 40e-6 * 15)] // each sends half of 496 MB twice; 15 buckets
    [InlineData(16, 0.93 + 30 * 40e-6 * 15)]
    public void The_exchange_is_a_rings(int ranks, double seconds) => Assert.Equal(seconds, s_gpt2.ExchangeSeconds(ranks), 1e-9);

    [Fact]
    public void Efficiency_falls_with_ranks_and_the_same_rows_are_through_fastest_on_so_many()
    {
        Assert.Equal(2.9 / (2.9 + 0.4972), s_gpt2.Efficiency(2), 1e-9);
        Assert.True(s_gpt2.Efficiency(16) < s_gpt2.Efficiency(2));
        Assert.Equal(2.9 / (1.45 + 0.4972), s_gpt2.SpeedUp(2), 1e-9);
        var best = s_gpt2.BestRanks;
        Assert.True(s_gpt2.SpeedUp(best) > Math.Max(s_gpt2.SpeedUp(best - 1), s_gpt2.SpeedUp(best + 1)));
    }
}
