using FsCheck;
using FsCheck.Fluent;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public class GroupByLengthTests
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_order_has_every_row_once_with_the_longest_first_and_comes_from_the_seed() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(1, 300).ArrayOf().Where(lengths => lengths.Length > 0).ToArbitrary(),
        Gen.Choose(1, 40).ToArbitrary(),
        (lengths, rowsPerStep) =>
        {
            var order = RowOrder.GroupedByLength(lengths, rowsPerStep, seed: 5, epoch: 2);
            Assert.Equal(Enumerable.Range(0, lengths.Length), order.Order());
            Assert.Equal(lengths.Max(), lengths[order[0]]);
            Assert.Equal(order, RowOrder.GroupedByLength(lengths, rowsPerStep, seed: 5, epoch: 2));
        }));

    [Fact]
    public void Batches_have_a_small_share_of_the_padding_of_random_ones()
    {
        var random = new Random(3);
        var lengths = Enumerable.Range(0, 4000).Select(_ => random.Next(1, 257)).ToArray();
        var grouped = Padding(RowOrder.GroupedByLength(lengths, 8, seed: 1, epoch: 0));
        var shuffled = Padding(RowOrder.Shuffled(lengths.Length, seed: 1, epoch: 0));
        Assert.True(shuffled > 0.3, $"{shuffled}");
        Assert.True(grouped < 0.1 * shuffled, $"{grouped} of {shuffled}");

        double Padding(int[] order) =>
            1 - lengths.Sum() / (double)order.Chunk(8).Sum(batch => batch.Length * batch.Max(row => lengths[row]));
    }

    [Fact]
    public void Epochs_and_seeds_have_different_orders_and_blocks_are_not_sorted_among_each_other()
    {
        var lengths = Enumerable.Range(1, 1000).ToArray();
        var order = RowOrder.GroupedByLength(lengths, 4, seed: 1, epoch: 0);
        Assert.NotEqual(order, RowOrder.GroupedByLength(lengths, 4, seed: 1, epoch: 1));
        Assert.NotEqual(order, RowOrder.GroupedByLength(lengths, 4, seed: 2, epoch: 0));
        Assert.Equal(5, order.Chunk(50 * 4).Count(block => block.Max() > 900 && block.Min() < 100)); // each has long and short rows
    }

    [Fact]
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits()
    {
        using var folders = new TemporaryFolder();
        var expected = Train(folders["whole"], cancelAt: null, resume: false);
        Assert.ThrowsAny<OperationCanceledException>(() => Train(folders["interrupted"], cancelAt: 8, resume: false));
        using var resumed = TinyRun.CreateModel(TinyRunKind.Improving);
        Train(resumed, folders["interrupted"], cancelAt: null, resume: true);
        WeightBytes.AssertEqual(expected, resumed);
    }

    [Fact]
    public void A_fixed_order_is_refused()
    {
        using var model = TinyRun.LoadModel();
        var error = Assert.Throws<ArgumentException>(
            () => new LanguageModelTrainer(model, new LanguageTrainingOptions { GroupByLength = true, Shuffle = false }, TinyRun.Rows));
        Assert.Contains(nameof(LanguageTrainingOptions.Shuffle), error.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyDictionary<string, byte[]> Train(string folder, int? cancelAt, bool resume)
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        Train(model, folder, cancelAt, resume);
        return WeightBytes.Of(model);
    }

    private static void Train(CausalLanguageModel model, string folder, int? cancelAt, bool resume)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        var options = new LanguageTrainingOptions
        {
            MaximumSteps = 12, BatchSize = 3, LearningRate = 2e-3, Precision = Precision.Float32, GroupByLength = true,
            OutputDirectory = folder, CheckpointSteps = 3, Resume = resume,
        };
        new LanguageModelTrainer(model, options, TinyRun.Rows).Train(
            new ProgressCallback(report =>
            {
                if (report.Step == cancelAt)
                    cancellation.Cancel();
            }),
            cancellation.Token);
    }
}
