using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tests.Networks.Described;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Described;

/// <summary>What training new layers has of every run: files, resuming, schedules, accumulation, clipping.</summary>
[Collection(ProcessWideState.Name)]
public sealed class NetworkRunTests : IDisposable
{
    private static readonly ArrayRows s_training = ArrayRows.Random(20, 48, 3, seed: 1);
    private static readonly ArrayRows s_validation = ArrayRows.Random(7, 48, 3, seed: 2);

    private readonly TemporaryFolder _folders = new();

    public void Dispose() => _folders.Dispose();

    [Theory]
    [InlineData(OptimizerAlgorithm.AdamW, 7)] // within an epoch
    [InlineData(OptimizerAlgorithm.AdamW, 10)] // after one
    [InlineData(OptimizerAlgorithm.StochasticGradientDescent, 7)]
    [InlineData(OptimizerAlgorithm.Lion, 7)]
    [InlineData(OptimizerAlgorithm.Muon, 7)]
    [InlineData(OptimizerAlgorithm.ScheduleFreeAdamW, 7)]
    [InlineData(OptimizerAlgorithm.Adam, 2)] // before the first checkpoint
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits_and_history(OptimizerAlgorithm optimizer, int cancelledAt)
    {
        using var whole = CreateNetwork();
        var expected = Train(whole, Options("whole", optimizer));

        using var interrupted = CreateNetwork();
        var start = Bytes(interrupted);
        using (var source = new CancellationTokenSource())
        {
            var progress = new Callback(report =>
            {
                if (report.Step == cancelledAt)
                    source.Cancel();
            });
            var trainer = new NetworkTrainer(interrupted, Options("interrupted", optimizer)) { StepProgress = progress };
            Assert.Throws<OperationCanceledException>(() => trainer.Train(s_training, s_validation, progress: null, source.Token));
        }

        var saved = cancelledAt / 3 * 3;
        Assert.Equal(saved == 0, start.SequenceEqual(Bytes(interrupted)));
        Assert.Equal(saved, Metrics("interrupted").Count);

        using var resumed = CreateNetwork();
        var actual = Train(resumed, Options("interrupted", optimizer, resume: true));
        Assert.Equal(Bytes(whole), Bytes(resumed));
        Assert.Equal(expected.Epochs.Select(epoch => epoch with { Elapsed = default }),
            actual.Epochs.Select(epoch => epoch with { Elapsed = default }));
        Assert.Equal((expected.ModelEpoch, expected.StoppedEarly), (actual.ModelEpoch, actual.StoppedEarly));
        Assert.Equal(Losses("whole"), Losses("interrupted"));
        Assert.Equal(["checkpoint-12", "checkpoint-15", "loss.png", "metrics.jsonl", "run.html"], Entries("interrupted"));
    }

    [Fact]
    public void A_callback_that_throws_brings_back_the_last_checkpoint()
    {
        using var network = CreateNetwork();
        byte[] atCheckpoint = [];
        var trainer = new NetworkTrainer(network, Options("run", OptimizerAlgorithm.Adam))
        {
            StepProgress = new Callback(report =>
            {
                if (report.Step == 3)
                    atCheckpoint = Bytes(network);
                if (report.Step == 5)
                    throw new NotFiniteNumberException("the user's own");
            }),
        };
        Assert.Throws<NotFiniteNumberException>(() => trainer.TrainNow(s_training, s_validation));
        Assert.Equal(atCheckpoint, Bytes(network));
        Assert.Equal([1, 2, 3], Metrics("run").Select(line => line["step"]!.GetValue<int>()));
    }

    [Fact]
    public void Other_rows_options_or_layers_are_not_resumed()
    {
        using var network = CreateNetwork();
        Train(network, Options("run", OptimizerAlgorithm.Adam));
        Refused(() => Train(network, Options("run", OptimizerAlgorithm.AdamW, resume: true)));
        Refused(() => new NetworkTrainer(network, Options("run", OptimizerAlgorithm.Adam, resume: true))
            .TrainNow(s_validation, s_training));
        using var other = CreateNetwork(dropout: 0.2);
        Refused(() => Train(other, Options("run", OptimizerAlgorithm.Adam, resume: true)));

        static void Refused(Func<object> action) => Assert.Contains("checkpoint-15", Assert.Throws<InvalidDataException>(action).Message);
    }

    [Fact]
    public void A_truncated_file_of_a_checkpoint_is_refused_by_name_and_changes_nothing()
    {
        using var network = CreateNetwork();
        Train(network, Options("run", OptimizerAlgorithm.Adam));
        using var other = CreateNetwork();
        var before = Bytes(other);
        foreach (var file in (string[])["network.safetensors", "optimizer.safetensors", "best-weights.safetensors", "trainer_state.json"])
        {
            var path = _folders[$"run/checkpoint-15/{file}"];
            var content = File.ReadAllBytes(path);
            File.WriteAllBytes(path, content[..(content.Length / 2)]);
            Assert.Contains(file,
                Assert.Throws<InvalidDataException>(() => Train(other, Options("run", OptimizerAlgorithm.Adam, resume: true))).Message);
            Assert.Equal(before, Bytes(other));
            File.WriteAllBytes(path, content);
        }
    }

    [Fact]
    public void Accumulated_passes_give_the_step_of_one_pass_over_all_rows()
    {
        using var scope = NewDisposeScope();
        using var whole = TransferNetwork.Create(null, [Layer.Dense(3)], [48], seed: 3);
        using var parts = TransferNetwork.Create(null, [Layer.Dense(3)], [48], seed: 3);
        var options = new ModuleTrainingOptions
        {
            NumberOfEpochs = 2, LearningRate = 0.1, Optimizer = OptimizerAlgorithm.StochasticGradientDescent,
        };
        var expected = new NetworkTrainer(whole, options with { BatchSize = 9 }).TrainNow(s_training); // steps of 9, 9 and 2 rows
        var actual = new NetworkTrainer(parts, options with { BatchSize = 4, GradientAccumulationSteps = 2 }).TrainNow(s_training);
        Assert.NotEqual(expected.Epochs[1].Loss, actual.Epochs[1].Loss, 1e-5); // steps of 8 rows

        using var same = TransferNetwork.Create(null, [Layer.Dense(3)], [48], seed: 3);
        actual = new NetworkTrainer(same, options with { BatchSize = 3, GradientAccumulationSteps = 3 }).TrainNow(s_training);
        Assert.Equal(expected.Epochs[1].Loss, actual.Epochs[1].Loss, 1e-6);
        Assert.Equal(expected.Epochs[1].Metric, actual.Epochs[1].Metric, 1e-6);
        foreach (var (one, three) in whole.State.Zip(same.State))
            Assert.True((one.Value - three.Value).abs().max().item<float>() < 1e-6f, one.Key);
    }

    [Fact]
    public void Schedule_warm_up_and_clipping_decide_on_the_step_size()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(3)], [48], seed: 3);
        var reports = new List<ModuleProgress>();
        new NetworkTrainer(network, new()
        {
            NumberOfEpochs = 2, BatchSize = 5, LearningRate = 0.1, Optimizer = OptimizerAlgorithm.StochasticGradientDescent,
            LearningRateSchedule = LearningRateSchedule.Linear, WarmupSteps = 2, MaximumGradientNorm = 1e-6,
        }) { StepProgress = new Callback(reports.Add) }.TrainNow(s_training);
        Assert.Equal([0, 0.05, 0.1, 0.1 * 5 / 6, 0.1 * 4 / 6, 0.1 * 3 / 6, 0.1 * 2 / 6, 0.1 / 6],
            reports.Select(report => report.LearningRate!.Value), Near);
        Assert.All(reports, report => Assert.True(report is { GradientNorm: > 1e-3, TotalSteps: 8, RowsPerSecond: > 0 }));
        Assert.Equal(TimeSpan.Zero, reports[^1].Remaining);

        using var start = TransferNetwork.Create(null, [Layer.Dense(3)], [48], seed: 3);
        using var scope = NewDisposeScope();
        foreach (var (before, after) in start.State.Zip(network.State))
            Assert.True((before.Value - after.Value).abs().max().item<float>() < 1e-6f, "clipped to next to nothing");

        static bool Near(double expected, double actual) => Math.Abs(expected - actual) < 1e-12;
    }

    [Fact]
    public void Products_in_bfloat16_are_refused_by_name()
    {
        using var network = CreateNetwork();
        Assert.Contains("Precision",
            Assert.Throws<ArgumentException>(() => new NetworkTrainer(network, new() { Precision = Precision.BFloat16 })).Message);
    }

    private static TransferNetwork CreateNetwork(double dropout = 0.3)
    {
        var pretrained = new ModuleBaseNetwork(new ConvolutionalModule(), "a module");
        var network = TransferNetwork.Create(
            pretrained, [Layer.Dense(8, Activation.Relu), Layer.BatchNormalization(), Layer.Dropout(dropout), Layer.Dense(3)], [3, 4, 4],
            seed: 5);
        BaseFreezing.AllButLast(2).Apply(pretrained); // its batch normalization gathers statistics
        return network;
    }

    private ModuleTrainingOptions Options(string folder, OptimizerAlgorithm optimizer, bool resume = false) => new()
    {
        NumberOfEpochs = 3,
        BatchSize = 4, // five steps an epoch
        LearningRate = 0.01,
        Optimizer = optimizer,
        Momentum = optimizer == OptimizerAlgorithm.StochasticGradientDescent ? 0.5 : 0,
        OutputDirectory = _folders[folder],
        CheckpointSteps = 3,
        CheckpointLimit = 2,
        Resume = resume,
    };

    private static TrainingHistory Train(TransferNetwork network, ModuleTrainingOptions options) =>
        new NetworkTrainer(network, options).TrainNow(s_training, s_validation);

    private List<JsonNode> Metrics(string folder)
    {
        var path = _folders[$"{folder}/metrics.jsonl"];
        return File.Exists(path) ? [.. File.ReadLines(path).Select(line => JsonNode.Parse(line)!)] : [];
    }

    private IEnumerable<(double?, double?)> Losses(string folder) =>
        Metrics(folder).Select(line => (line["loss"]?.GetValue<double>(), line["eval_loss"]?.GetValue<double>()));

    private IEnumerable<string?> Entries(string folder) =>
        Directory.GetFileSystemEntries(_folders[folder]).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static byte[] Bytes(TransferNetwork network) => [.. network.State.SelectMany(tensor => tensor.Value.bytes.ToArray())];

    private sealed class Callback(Action<ModuleProgress> action) : IProgress<ModuleProgress>
    {
        public void Report(ModuleProgress value) => action(value);
    }
}
