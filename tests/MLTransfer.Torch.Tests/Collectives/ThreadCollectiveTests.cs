using MLTransfer.Torch.Collectives;
using Xunit;

namespace MLTransfer.Torch.Tests.Collectives;

public class ThreadCollectiveTests
{
    private const int Size = 3;

    [Fact]
    public void All_ranks_get_sums_bytes_of_the_root_and_bytes_of_all()
    {
        var results = ThreadCollective.Run(Size, ranks =>
        {
            float[] singles = [ranks.Rank, 1];
            double[] doubles = [0.1 * ranks.Rank];
            ranks.AllReduceSum(singles);
            ranks.AllReduceSum(doubles);
            byte[] bytes = [(byte)(10 + ranks.Rank)];
            ranks.Broadcast(bytes, root: 2);
            var all = new byte[2 * Size];
            ranks.AllGather([(byte)ranks.Rank, 7], all);
            ranks.Barrier();
            var unequal = ranks.GatherAll(new byte[ranks.Rank]);
            return (ranks.Size, singles, doubles, bytes, all, Lengths: unequal.Select(part => part.Length).ToArray());
        });

        Assert.Equal(Size, results.Count);
        Assert.All(results, result =>
        {
            Assert.Equal(Size, result.Size);
            Assert.Equal([3f, 3f], result.singles);
            Assert.Equal([0.1 + 0.2], result.doubles);
            Assert.Equal(12, Assert.Single(result.bytes));
            Assert.Equal([0, 7, 1, 7, 2, 7], result.all);
            Assert.Equal([0, 1, 2], result.Lengths);
        });
    }

    [Fact]
    public void A_rank_that_fails_ends_the_calls_of_all_others()
    {
        var failure = Assert.Throws<AggregateException>(() => ThreadCollective.Run<int>(Size, ranks =>
        {
            if (ranks.Rank == 1)
                throw new InvalidDataException("a bad row");
            ranks.Barrier();
            return 0;
        }));

        Assert.Equal(Size, failure.InnerExceptions.Count);
        Assert.Single(failure.InnerExceptions.OfType<InvalidDataException>());
        Assert.All(failure.InnerExceptions.OfType<CollectiveAbortedException>(), other =>
        {
            Assert.Equal(1, other.Rank);
            Assert.Contains("a bad row", other.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Ranks_that_come_with_other_lengths_are_told_instead_of_reading_past_the_end() =>
        Assert.Contains("bytes", Assert.Throws<AggregateException>(() => ThreadCollective.Run(2, ranks =>
        {
            ranks.AllReduceSum(new float[1 + ranks.Rank]);
            return 0;
        })).InnerExceptions[0].Message, StringComparison.Ordinal);
}
