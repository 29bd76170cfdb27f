using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Optimizers;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>A task that no trainer of the library has: two codebooks, each with a normalizer of its own.</summary>
public sealed class TrainingRunTests
{
    private const int Rows = 12;

    [Fact]
    public void Losses_are_divided_by_the_counts_of_all_rows_of_a_step_however_they_are_cut_into_passes()
    {
        var (whole, losses) = Train(batchSize: 6, accumulation: 1);
        var (parts, sameLosses) = Train(batchSize: 2, accumulation: 3);
        Assert.Equal(whole[0], parts[0], 1e-6f);
        Assert.Equal(whole[1], parts[1], 1e-6f);
        Assert.All(losses.Zip(sameLosses), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        Assert.True(losses[^1] < losses[0]);
    }

    [Fact]
    public async Task Runs_that_share_the_rows_of_each_step_and_add_up_gradients_end_with_the_weights_of_one_run()
    {
        using var scope = NewDisposeScope();
        var (whole, losses) = Train(batchSize: 6, accumulation: 1);
        using var exchange = new SharedMemoryExchange(ranks: 2);
        var runs = await Task.WhenAll(Enumerable.Range(0, 2).Select(rank => Task.Factory.StartNew(
            () => Train(batchSize: 6, accumulation: 1, exchange.OfRank(rank)), TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        Assert.Equal(runs[0].Weights, runs[1].Weights);
        Assert.Equal(whole[0], runs[0].Weights[0], 1e-6f);
        Assert.Equal(whole[1], runs[0].Weights[1], 1e-6f);
        Assert.All(losses.Zip(runs[1].Losses), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    private static (float[] Weights, List<double> Losses) Train(int batchSize, int accumulation, IUpdateExchange? exchange = null)
    {
        var options = new ModuleTrainingOptions
        {
            MaximumSteps = 5, BatchSize = batchSize, GradientAccumulationSteps = accumulation, LearningRate = 0.1,
        };
        var rows = RowSchedule.Of(options, Rows, epoch => RowOrder.Shuffled(Rows, options.Seed, epoch));
        using var task = new TwoCodebooks();
        var plan = RunPlan.Of(options, rows, hasValidation: false, evaluatesStart: false);
        var result = new TrainingRun<ModuleProgress>(task, options, plan, rows)
        {
            Exchange = exchange,
        }.Run(progress: null, TestContext.Current.CancellationToken);
        return (task.Values, [.. result.History.Select(report => report.Loss!.Value)]);
    }

    /// <summary>Fits two numbers to rows of which each has some codes of one book and some of the other.</summary>
    private sealed class TwoCodebooks : TrainingTask<ModuleProgress>
    {
        private static readonly (int First, int Second, float Value)[] s_rows =
            [.. Enumerable.Range(0, Rows).Select(i => (1 + i % 3, 1 + i * i % 5, i / 10f))];

        private readonly Parameter _books = new(zeros(2), requires_grad: true);
        private readonly Player _player;

        public TwoCodebooks() => _player = new Player(
            "", new StochasticGradientDescent([new TrainedParameter("books", _books, Decays: false)], new() { Momentum = 0.5 }));

        public float[] Values => _books.data<float>().ToArray();

        public override IEnumerable<KeyValuePair<string, Tensor>> Weights => [KeyValuePair.Create("books", (Tensor)_books)];

        public override IReadOnlyList<Player> Players => [_player];

        public override string Fingerprint() => "";

        public override ModuleProgress ReportAfter(int step) => new() { Step = step, Epoch = 0 };

        public override ModuleProgress RunStep(TrainingStep step)
        {
            double[] counts = [step.Rows.Sum(row => s_rows[row].First), step.Rows.Sum(row => s_rows[row].Second)];
            var update = step.Update(_player, counts, pass =>
            {
                var loss = zeros(1);
                foreach (var (first, second, value) in pass.Rows.Select(row => s_rows[row]))
                {
                    loss = loss + (_books[0] - value).square() * (first / pass.Normalizers[0])
                        + (_books[1] + value).square() * (second / pass.Normalizers[1]);
                }

                loss.sum().backward();
                return loss.item<float>();
            });
            return new ModuleProgress { Step = step.Index + 1, Epoch = 0, Loss = update.Loss };
        }

        public override long AmountOf(int[] rows) => rows.Length;

        public override ModuleProgress Evaluate(ModuleProgress report, CancellationToken cancellationToken) => report;

        public override void Save(string folder)
        {
        }

        public override void Restore(string folder)
        {
        }

        public override IEnumerable<LossCurve> Curves(IReadOnlyList<ModuleProgress> history) => [];

        public override void Dispose()
        {
            _player.Dispose();
            _books.Dispose();
        }
    }

    /// <summary>Adds up the gradients of threads in the order of their ranks.</summary>
    private sealed class SharedMemoryExchange(int ranks) : IDisposable
    {
        private readonly Barrier _barrier = new(ranks);
        private readonly (float[] Gradients, double Loss)[] _parts = new (float[], double)[ranks];

        public IUpdateExchange OfRank(int rank) => new Rank(this, rank);

        public void Dispose() => _barrier.Dispose();

        private sealed class Rank(SharedMemoryExchange all, int rank) : IUpdateExchange
        {
            public int[] Share(int[] rowsOfStep) => [.. rowsOfStep.Where((_, place) => place % all._parts.Length == rank)];

            public double Complete(Player player, IReadOnlyList<double> normalizers, double loss)
            {
                Assert.Equal(2, normalizers.Count);
                using var gradient = player.Optimizer.Gradients().Single();
                all._parts[rank] = (gradient.data<float>().ToArray(), loss);
                all._barrier.SignalAndWait(TestContext.Current.CancellationToken);
                using (no_grad())
                using (NewDisposeScope())
                    gradient.copy_(tensor([.. Enumerable.Range(0, 2).Select(i => all._parts.Sum(part => part.Gradients[i]))]));
                var sum = all._parts.Sum(part => part.Loss);
                all._barrier.SignalAndWait(TestContext.Current.CancellationToken);
                return sum;
            }
        }
    }
}
