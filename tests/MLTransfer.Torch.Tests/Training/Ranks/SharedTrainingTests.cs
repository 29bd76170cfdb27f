using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Ranks;

/// <summary>Ten rows in steps of eight: the last step of an epoch has two, fewer than there may be ranks.</summary>
[Collection(ProcessWideState.Name)]
public sealed class SharedTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("unequal", 2, 1, false)]
    [InlineData("unequal", 4, 1, false)]
    [InlineData("unequal", 2, 2, false)]
    [InlineData("unequal", 2, 1, true)]
    [InlineData("packed", 2, 1, false)]
    [InlineData("completions", 4, 2, true)]
    public void Ranks_end_with_the_weights_of_one_process_and_all_with_the_same_bits(
        string kind, int ranks, int accumulation, bool hasAdapters)
    {
        var (rows, rate) = (Rows(kind), hasAdapters ? 5e-4 : 1e-3);
        var alone = SharedRuns.Train(1, SharedRuns.Options(1) with { LearningRate = rate }, rows, hasAdapters)[0];
        var shared = SharedRuns.Train(
            ranks, SharedRuns.Options(ranks, accumulation) with { LearningRate = rate }, rows, hasAdapters);

        AssertNear(alone, shared[0], 1e-5);
        Assert.True(alone.Losses[^1] < alone.Losses[0]);
        Assert.All(shared.Skip(1), other =>
        {
            Assert.Equal(shared[0].Bits, other.Bits);
            Assert.Equal(shared[0].Running, other.Running);
            Assert.Equal(shared[0].Losses, other.Losses);
        });
    }

    [Fact]
    public void Ranks_in_bfloat16_end_near_the_weights_of_one_process()
    {
        // Adam would make whole steps of what bfloat16 rounds away.
        SharedRuns.Outcome Train(int ranks) => SharedRuns.Train(ranks, SharedRuns.Options(ranks) with
        {
            Precision = Precision.BFloat16, Optimizer = OptimizerAlgorithm.StochasticGradientDescent, LearningRate = 0.02,
        }, Rows("unequal"))[0];
        var alone = Train(1);
        AssertNear(alone, Train(2), 1e-5, lossTolerance: 1e-2);
        Assert.True(alone.Losses[^1] < alone.Losses[0]);
    }

    [Fact]
    public void A_run_with_dropout_that_was_interrupted_ends_with_the_bits_of_one_that_was_not()
    {
        var options = SharedRuns.Options(2) with { MaximumSteps = 6, CheckpointSteps = 2, KeepBestModel = true };
        var whole = SharedRuns.Train(2, options with { OutputDirectory = _folder["whole"] }, TinyRun.Rows, dropout: 0.1);

        using var source = new CancellationTokenSource();
        var interrupted = options with { OutputDirectory = _folder["interrupted"] };
        var failure = Assert.Throws<AggregateException>(() => SharedRuns.Train(
            2, interrupted, TinyRun.Rows, dropout: 0.1,
            report: (rank, progress) => { if (rank == 1 && progress.Step == 3) source.Cancel(); },
            cancellation: rank => rank == 1 ? source.Token : default));
        Assert.Single(failure.InnerExceptions.OfType<OperationCanceledException>());
        Assert.Contains(failure.InnerExceptions.OfType<CollectiveAbortedException>(), other => other.Rank == 1);
        Assert.True(Directory.Exists(_folder["interrupted/checkpoint-2"]));

        var resumed = SharedRuns.Train(2, interrupted with { Resume = true }, TinyRun.Rows, dropout: 0.1);
        Assert.Equal(whole[0].Bits, resumed[0].Bits);
        Assert.Equal(whole[0].Bits, resumed[1].Bits);
        Assert.Equal(whole[0].Losses[2..], resumed[0].Losses);
    }

    [Fact]
    public void Rank_0_alone_writes_files()
    {
        var options = SharedRuns.Options(2) with { MaximumSteps = 2, CheckpointSteps = 1, OutputDirectory = _folder["run"] };
        SharedRuns.Train(2, options, TinyRun.Rows);
        Assert.Equal(
            ["checkpoint-1", "checkpoint-2"],
            Directory.EnumerateDirectories(_folder["run"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(3, File.ReadLines(_folder["run/metrics.jsonl"]).Count()); // the start's evaluation and two steps
    }

    [Fact]
    public void The_best_weights_come_back_on_all_ranks()
    {
        var options = SharedRuns.Options(2) with { LearningRate = 0.02, MaximumSteps = 12, KeepBestModel = true, EvaluationSteps = 1 };
        var shared = SharedRuns.Train(2, options, [.. TinyRun.Rows.Take(3)]);
        Assert.True(shared[0].Evaluations.Min() < shared[0].Evaluations[^1]);
        Assert.NotEqual(shared[0].Running[^1], shared[0].Bits);
        Assert.Equal(shared[0].Bits, shared[1].Bits);
    }

    [Fact]
    public void Ranks_with_other_rows_or_options_are_refused_on_all()
    {
        var failure = Assert.Throws<AggregateException>(() => ThreadCollective.Run(2, ranks =>
        {
            using var model = TinyRun.LoadModel();
            new LanguageModelTrainer(
                model, SharedRuns.Options(2) with { Collective = ranks }, TinyRun.CreateRows(10, seed: 1 + ranks.Rank)).Train();
            return 0;
        }));
        Assert.All(failure.InnerExceptions, one => Assert.Contains("Rank 1 was given other training rows", one.Message));
    }

    [Fact]
    public void A_run_that_diverges_ends_on_all_ranks_with_the_last_good_weights()
    {
        var failure = Assert.Throws<AggregateException>(() => SharedRuns.Train(
            2, SharedRuns.Options(2) with { LearningRate = 1e30, MaximumGradientNorm = 0 }, TinyRun.Rows));
        Assert.Equal(2, failure.InnerExceptions.OfType<TrainingDivergedException>().Count());
    }

    private static IReadOnlyList<TrainingExample> Rows(string kind) => kind switch
    {
        "packed" => TrainingExamples.Pack(TinyRun.CreateRows(count: 24, seed: 4), 32),
        "completions" =>
        [
            .. TinyRun.Rows.Select((row, index) => TrainingExamples.Completion(
                row.InputIds.AsSpan(0, 1 + index % 5), row.InputIds.AsSpan(1 + index % 5), maximumLength: 32)),
        ],
        _ => TinyRun.Rows,
    };

    private static void AssertNear(
        SharedRuns.Outcome expected, SharedRuns.Outcome actual, double tolerance, double lossTolerance = 1e-5)
    {
        Assert.InRange(WeightDistance.Of(expected.Weights, actual.Weights), 0, tolerance);
        AssertAll(expected.Losses, actual.Losses);
        AssertAll(expected.Evaluations, actual.Evaluations);

        void AssertAll(double[] one, double[] other)
        {
            Assert.Equal(one.Length, other.Length);
            Assert.All(one.Zip(other), pair => Assert.Equal(pair.First, pair.Second, lossTolerance));
        }
    }
}
