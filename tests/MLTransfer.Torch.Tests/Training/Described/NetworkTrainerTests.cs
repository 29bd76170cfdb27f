using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tests.Networks.Described;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Training.Described;

[Collection(ProcessWideState.Name)]
public class NetworkTrainerTests
{
    private static readonly float[][] s_inputs = [[1, 2], [-1, 0.5f], [0.25f, -2]];
    private static readonly float[][] s_targets = [[0.5f], [1], [-1]];

    [Fact]
    public void A_dense_layer_under_mean_squared_error_takes_Adams_steps()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(1)], [2], seed: 3);
        var (weights, bias) = Weights(network);
        const double rate = 0.05, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
        double[] values = [weights[0], weights[1], bias], means = new double[3], squares = new double[3];
        var losses = new List<double>();
        for (var step = 1; step <= 5; step++)
        {
            // loss = sum (w x + b - t)^2 / n, so its gradients are 2 sum (w x + b - t) x / n and 2 sum (w x + b - t) / n
            var (loss, slopes) = (0.0, new double[3]);
            for (var row = 0; row < 3; row++)
            {
                var error = values[0] * s_inputs[row][0] + values[1] * s_inputs[row][1] + values[2] - s_targets[row][0];
                loss += error * error / 3;
                slopes[0] += 2 * error * s_inputs[row][0] / 3;
                slopes[1] += 2 * error * s_inputs[row][1] / 3;
                slopes[2] += 2 * error / 3;
            }

            losses.Add(loss);
            for (var i = 0; i < 3; i++)
            {
                means[i] = beta1 * means[i] + (1 - beta1) * slopes[i];
                squares[i] = beta2 * squares[i] + (1 - beta2) * slopes[i] * slopes[i];
                var (mean, square) = (means[i] / (1 - Math.Pow(beta1, step)), squares[i] / (1 - Math.Pow(beta2, step)));
                values[i] -= rate * mean / (Math.Sqrt(square) + epsilon);
            }
        }

        var history = Train(network, new() { NumberOfEpochs = 5, LearningRate = rate });

        Assert.Equal("mean absolute error", history.MetricName);
        Assert.All(losses.Zip(history.Epochs), pair => Assert.Equal(pair.First, pair.Second.Loss, 1e-5));
        var (trained, trainedBias) = Weights(network);
        Assert.Equal(values[0], trained[0], 1e-5);
        Assert.Equal(values[1], trained[1], 1e-5);
        Assert.Equal(values[2], trainedBias, 1e-5);
    }

    [Fact]
    public void Stochastic_gradient_descent_keeps_its_momentum_and_absolute_errors_have_gradients_of_one()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(1)], [2], seed: 3);
        var (weights, bias) = Weights(network);
        double[] values = [weights[0], weights[1], bias], speeds = new double[3];
        for (var step = 0; step < 4; step++)
        {
            var slopes = new double[3];
            for (var row = 0; row < 3; row++)
            {
                var sign = Math.Sign(values[0] * s_inputs[row][0] + values[1] * s_inputs[row][1] + values[2] - s_targets[row][0]) / 3.0;
                slopes[0] += sign * s_inputs[row][0];
                slopes[1] += sign * s_inputs[row][1];
                slopes[2] += sign;
            }

            for (var i = 0; i < 3; i++)
                values[i] -= 0.1 * (speeds[i] = 0.5 * speeds[i] + slopes[i]);
        }

        Train(network, new()
        {
            NumberOfEpochs = 4, LearningRate = 0.1, Momentum = 0.5, Optimizer = OptimizerAlgorithm.StochasticGradientDescent,
            Loss = TrainingLoss.MeanAbsoluteError,
        });

        var (trained, trainedBias) = Weights(network);
        Assert.Equal(values[0], trained[0], 1e-5);
        Assert.Equal(values[1], trained[1], 1e-5);
        Assert.Equal(values[2], trainedBias, 1e-5);
    }

    [Fact]
    public void Decoupled_weight_decay_spares_the_bias()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(1)], [2], seed: 3);
        var (weights, bias) = Weights(network);
        float[][] nothing = [[0, 0]];

        // With inputs of 0 the weights have no gradient; decay alone changes them.
        new NetworkTrainer(
            network, new() { NumberOfEpochs = 1, LearningRate = 0.1, WeightDecay = 0.5, Optimizer = OptimizerAlgorithm.AdamW })
            .TrainNow(new ArrayRows(nothing, [[bias]]));

        var (trained, trainedBias) = Weights(network);
        Assert.Equal(weights[0] * (1 - 0.1f * 0.5f), trained[0], 1e-6);
        Assert.Equal(bias, trainedBias, 1e-6);
    }

    [Theory]
    [InlineData(Activation.Sigmoid)] // computed from the logits
    [InlineData(Activation.Softmax)] // computed from probabilities
    public void Binary_cross_entropy_is_that_of_probabilities(Activation activation)
    {
        using var scope = NewDisposeScope();
        using var network = TransferNetwork.Create(null, [Layer.Dense(2, activation)], [2], seed: 3);
        float[][] targets = [[1, 0], [0.25f, 1], [0, 0]];
        var output = network.Forward(Values(s_inputs));
        var expected = F.binary_cross_entropy(output, Values(targets)).item<float>();

        var (loss, metric) = new NetworkTrainer(network, new() { Loss = TrainingLoss.BinaryCrossEntropy })
            .EvaluateNow(new ArrayRows(s_inputs, targets));

        Assert.Equal(expected, loss, 1e-5);
        Assert.Equal((output > 0.5).eq(Values(targets) > 0.5).to(ScalarType.Float32).mean().item<float>(), metric, 1e-6);
    }

    [Fact]
    public void Categorical_cross_entropy_is_that_of_classes_also_where_a_probability_underflows()
    {
        using var scope = NewDisposeScope();
        using var network = TransferNetwork.Create(null, [Layer.Dense(3, Activation.Softmax)], [2], seed: 3);
        using (no_grad())
            network.NewLayers.get_parameter("0.weight")!.mul_(500);
        float[][] targets = [[0, 1, 0], [1, 0, 0], [0, 0, 1]];
        var logits = F.linear(Values(s_inputs), network.NewLayers.get_parameter("0.weight")!, network.NewLayers.get_parameter("0.bias")!);

        var (loss, metric) = new NetworkTrainer(network, new() { Loss = TrainingLoss.CategoricalCrossEntropy })
            .EvaluateNow(new ArrayRows(s_inputs, targets));

        var classes = tensor(new long[] { 1, 0, 2 });
        Assert.Equal(F.cross_entropy(logits, classes).item<float>(), loss, 1e-3);
        Assert.True(loss > 20); // 1e-7 would have stopped at 16
        Assert.Equal(logits.argmax(-1).eq(classes).to(ScalarType.Float32).mean().item<float>(), metric, 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_frozen_network_keeps_its_bits_and_what_is_on_it_learns(bool partly)
    {
        using var network =
            Network(new ConvolutionalModule(), partly ? BaseFreezing.Matching("convolution.*", "normalization.*") : BaseFreezing.All);
        var before = Bytes(network.Pretrained!);

        var history = new NetworkTrainer(network, new() { NumberOfEpochs = 40, BatchSize = 8, LearningRate = 0.01 })
            .TrainNow(ArrayRows.Random(40, 48, 3, seed: 1));

        Assert.True(history.Epochs[^1].Loss < history.Epochs[0].Loss * 0.95, $"{history.Epochs[0].Loss} to {history.Epochs[^1].Loss}");
        var after = Bytes(network.Pretrained!);
        foreach (var (name, bytes) in before)
            Assert.Equal(partly && name.StartsWith("dense", StringComparison.Ordinal), !bytes.SequenceEqual(after[name]));
    }

    [Fact]
    public void Without_freezing_all_weights_and_statistics_change()
    {
        using var network = Network(new ConvolutionalModule(), BaseFreezing.None);
        var before = Bytes(network.Pretrained!);

        new NetworkTrainer(network, new() { NumberOfEpochs = 1, BatchSize = 8 }).TrainNow(ArrayRows.Random(40, 48, 3, seed: 1));

        var after = Bytes(network.Pretrained!);
        Assert.All(before, pair => Assert.NotEqual(pair.Value, after[pair.Key]));
    }

    [Fact]
    public void The_last_layers_alone_can_be_trained()
    {
        using var network = Network(new ConvolutionalModule(), BaseFreezing.AllButLast(2));

        Assert.Equal(["convolution.weight", "convolution.bias"], network.Pretrained!.Parameters.Where(p => !p.Value.requires_grad)
            .Select(p => p.Key));
        Assert.Contains("3 with parameters",
            Assert.Throws<ArgumentException>(() => BaseFreezing.AllButLast(4).Apply(network.Pretrained)).Message, StringComparison.Ordinal);
        Assert.Contains("'conv.*' matches no parameter",
            Assert.Throws<ArgumentException>(() => BaseFreezing.Matching("conv.*").Apply(network.Pretrained)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Features_of_a_frozen_network_are_computed_once_and_give_the_same_weights()
    {
        var counted = new ConvolutionalModule();
        using var network = Network(counted, BaseFreezing.All);
        counted.Rows = 0;
        new NetworkTrainer(network, new() { NumberOfEpochs = 5, BatchSize = 8 })
            .TrainNow(ArrayRows.Random(40, 48, 3, seed: 1), ArrayRows.Random(10, 48, 3, seed: 2));
        Assert.Equal(50, counted.Rows);

        // A second trainable parameter makes the same network go through all rows each time.
        using var whole = Network(new ConvolutionalModule(), BaseFreezing.Matching("convolution.*", "normalization.*"));
        whole.Pretrained!.Parameters.Single(p => p.Key == "dense.weight").Value.requires_grad = false;
        Assert.True(whole.Pretrained.IsTrainable);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits()
    {
        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));

        static byte[] Run(long seed)
        {
            using var network =
                TransferNetwork.Create(null, [Layer.Dense(8, Activation.Relu), Layer.Dropout(0.3), Layer.Dense(3)], [4], seed);
            new NetworkTrainer(network, new() { NumberOfEpochs = 2, BatchSize = 4, Seed = seed })
                .TrainNow(ArrayRows.Random(10, 4, 3, seed: 1));
            return [.. network.NewLayers.parameters().SelectMany(p => p.bytes.ToArray())];
        }
    }

    [Fact]
    public void Training_stops_when_the_validation_loss_rises_and_keeps_the_best_weights()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(1)], [2], seed: 3);
        var validation = new ArrayRows(s_inputs, [[-0.5f], [-1], [1]]); // the opposite of what is learned
        var trainer = new NetworkTrainer(network, new() { NumberOfEpochs = 50, LearningRate = 0.1, EarlyStoppingPatience = 3 });

        var history = trainer.TrainNow(new ArrayRows(s_inputs, s_targets), validation);

        Assert.True(history.StoppedEarly);
        Assert.Equal(history.ModelEpoch + 3, history.Epochs.Count);
        Assert.Equal(history.Epochs.Min(epoch => epoch.ValidationLoss), history.Epochs[history.ModelEpoch - 1].ValidationLoss);
        Assert.Equal(history.Epochs[history.ModelEpoch - 1].ValidationLoss!.Value, trainer.EvaluateNow(validation).Loss, 1e-9);
    }

    [Fact]
    public void A_diverging_run_is_told_and_leaves_the_weights_of_the_start()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(1)], [2], seed: 3);
        var before = Weights(network);
        var trainer = new NetworkTrainer(
            network, new() { NumberOfEpochs = 200, LearningRate = 1e30, Optimizer = OptimizerAlgorithm.StochasticGradientDescent });

        var exception = Assert.Throws<TrainingDivergedException>(() => trainer.TrainNow(new ArrayRows(s_inputs, s_targets)));

        Assert.Contains("Lower the learning rate", exception.Message, StringComparison.Ordinal);
        Assert.Equal(before.Weights, Weights(network).Weights);
    }

    [Fact]
    public void Cancelling_leaves_the_weights_of_the_start()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(1)], [2], seed: 3);
        var before = Weights(network);
        using var source = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => new NetworkTrainer(network, new()).Train(
            new ArrayRows(s_inputs, s_targets), progress: new Cancelling(source), cancellationToken: source.Token));

        Assert.Equal(before.Weights, Weights(network).Weights);
    }

    [Fact]
    public void Options_that_do_not_fit_are_refused_by_name()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(1)], [2], seed: 3);
        Refused(nameof(ModuleTrainingOptions.Momentum), new() { Momentum = 0.9 });
        Refused(nameof(ModuleTrainingOptions.WeightDecay), new() { WeightDecay = 0.1 });
        Refused(nameof(ModuleTrainingOptions.LearningRate), new() { LearningRate = 0 });
        Refused(nameof(ModuleTrainingOptions.NumberOfEpochs), new() { NumberOfEpochs = 0 });
        Refused(nameof(ModuleTrainingOptions.Loss), new() { Loss = (TrainingLoss)9 });
        Refused("it gives [1]", new() { Loss = TrainingLoss.CategoricalCrossEntropy });
        using var frozen = Network(new ConvolutionalModule(), BaseFreezing.All, []);
        Assert.Contains("nothing to train", Assert.Throws<ArgumentException>(() => new NetworkTrainer(frozen, new())).Message,
            StringComparison.Ordinal);

        void Refused(string message, ModuleTrainingOptions options) => Assert.Contains(
            message, Assert.ThrowsAny<ArgumentException>(() => new NetworkTrainer(network, options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_leaves_no_tensor_behind()
    {
        using var network = Network(new ConvolutionalModule(), BaseFreezing.None);
        var rows = ArrayRows.Random(20, 48, 3, seed: 1);
        var trainer = new NetworkTrainer(network, new() { NumberOfEpochs = 1, BatchSize = 5 });
        trainer.TrainNow(rows, rows);
        GC.Collect(); // what other tests left to it must not go while this one counts
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;

        trainer.TrainNow(rows, rows);
        network.Compute(3, rows.ReadInput);

        Assert.Equal(before, Tensor.TotalCount);
    }

    private static TrainingHistory Train(TransferNetwork network, ModuleTrainingOptions options) =>
        new NetworkTrainer(network, options).TrainNow(new ArrayRows(s_inputs, s_targets));

    private static TransferNetwork Network(ConvolutionalModule module, BaseFreezing freezing, Layer[]? layers = null)
    {
        var network =
            TransferNetwork.Create(new ModuleBaseNetwork(module, "the test's module"), layers ?? [Layer.Dense(3)], [3, 4, 4], seed: 3);
        freezing.Apply(network.Pretrained!);
        return network;
    }

    private static Tensor Values(float[][] rows) => tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);

    private static (float[] Weights, float Bias) Weights(TransferNetwork network) => (
        network.NewLayers.get_parameter("0.weight")!.data<float>().ToArray(), network.NewLayers.get_parameter("0.bias")!.data<float>()[0]);

    private static Dictionary<string, byte[]> Bytes(BaseNetwork network) => network.Parameters
        .Concat(network.Buffers.Where(buffer => buffer.Value.is_floating_point()))
        .ToDictionary(pair => pair.Key, pair => pair.Value.bytes.ToArray());

    private sealed class Cancelling(CancellationTokenSource source) : IProgress<EpochResult>
    {
        public void Report(EpochResult value) => source.Cancel();
    }
}
