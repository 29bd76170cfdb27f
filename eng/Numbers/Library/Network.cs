using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Optimizers;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>A network of described layers, on a pretrained one where wanted.</summary>
internal sealed class Network : IDisposable
{
    private readonly TransferNetwork _network;

    private Network(TransferNetwork network) => _network = network;

    /// <param name="layers">A name of <see cref="Layers"/>.</param>
    /// <param name="inputShape">Without the batch.</param>
    /// <param name="module">The pretrained network; null for none.</param>
    /// <param name="freezing">As in <see cref="Freezing"/>.</param>
    /// <param name="seed">Of the new layers' weights.</param>
    public static Network Create(string layers, long[] inputShape, nn.Module<Tensor, Tensor>? module = null, string freezing = "all",
        long seed = 3)
    {
        var pretrained = module is null ? null : new ModuleBaseNetwork(module, "a module");
        var network = TransferNetwork.Create(pretrained, Layers(layers), inputShape, seed);
        if (pretrained is not null)
            Freezing(freezing).Apply(pretrained); // internal
        return new Network(network);
    }

    public IEnumerable<(string Name, Tensor Tensor)> State => StateOf(_network);

    public Tensor Forward(Tensor input) => _network.Forward(input);

    /// <returns>Loss, metric, validation loss and validation metric of each epoch; then the epoch of the weights and whether training
    /// ended early.</returns>
    public IReadOnlyList<double[]> Train(
        NetworkTraining settings, float[][] inputs, float[][] targets, float[][]? validationInputs = null,
        float[][]? validationTargets = null)
    {
        var history = new NetworkTrainer(_network, new ModuleTrainingOptions
        {
            Loss = Enum.Parse<TrainingLoss>(settings.Loss),
            Optimizer = Enum.Parse<OptimizerAlgorithm>(settings.Optimizer),
            LearningRate = settings.LearningRate,
            Momentum = settings.Momentum,
            WeightDecay = settings.WeightDecay,
            NumberOfEpochs = settings.Epochs,
            BatchSize = settings.BatchSize,
            Shuffle = settings.Shuffle,
            EarlyStoppingPatience = settings.EarlyStoppingPatience,
            KeepBestModel = settings.KeepBestModel,
            Seed = settings.Seed,
        }).Train(new ArrayRows(inputs, targets), validationInputs is null ? null : new ArrayRows(validationInputs, validationTargets!));
        return LogOf(history);
    }

    public void Dispose() => _network.Dispose();

    internal static IReadOnlyList<double[]> LogOf(TrainingHistory history) =>
    [
        .. history.Epochs.Select(epoch =>
            (double[])[epoch.Loss, epoch.Metric, epoch.ValidationLoss ?? double.NaN, epoch.ValidationMetric ?? double.NaN]),
        [history.ModelEpoch, history.StoppedEarly ? 1 : 0],
    ];

    internal static IEnumerable<(string Name, Tensor Tensor)> StateOf(TransferNetwork network) =>
    [
        .. (network.Pretrained?.Parameters ?? []).Concat(network.Pretrained?.Buffers ?? []).Select(t => ("base." + t.Key, t.Value)),
        .. network.NewLayers.named_parameters().Select(p => ("new." + p.name, (Tensor)p.parameter)),
        .. network.NewLayers.named_buffers().Select(b => ("new." + b.name, b.buffer)),
    ];

    /// <summary>"all", "none", or how many layers are trained.</summary>
    internal static BaseFreezing Freezing(string name) => name switch
    {
        "all" => BaseFreezing.All,
        "none" => BaseFreezing.None,
        _ => BaseFreezing.AllButLast(int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)),
    };

    /// <summary>Layers by a name of this program.</summary>
    internal static Layer[] Layers(string name) => name switch
    {
        // of [3, 8, 8]
        "pictures" => Pictures(Activation.None),
        "pictures to probabilities" => Pictures(Activation.Sigmoid),
        "pictures to classes" => Pictures(Activation.Softmax),
        // of any
        "vector" => [Layer.Flatten(), Layer.Dense(8, Activation.Relu), Layer.Dropout(0.3), Layer.Dense(3)],
        "dense" => [Layer.Dense(3)],
        "none" => [],
        "recipe" => [Layer.Dense(32, Activation.Relu), Layer.Dense(16, Activation.Relu), Layer.Dense(3, Activation.Sigmoid)],
        "classes" => [Layer.Flatten(), Layer.Dense(8, Activation.Gelu), Layer.Dense(3, Activation.Softmax)],
        // of [3, 16, 16]
        "base" =>
        [
            Layer.Convolution(8, 3), Layer.BatchNormalization(Activation.Relu), Layer.MaximumPooling(),
            Layer.Convolution(16, 3, Activation.Relu),
            Layer.MaximumPooling(), Layer.Flatten(), Layer.Dense(2),
        ],
        "picture to picture" => [Layer.Convolution(4, 3, Activation.Relu), Layer.Convolution(3, 1)],
        // of [3, 8, 8]
        "all" =>
        [
            Layer.Convolution(8, 3, Activation.LeakyRelu, stride: 2), Layer.BatchNormalization(Activation.Relu), Layer.Upsampling(2),
            Layer.TransposedConvolution(6, 4, Activation.Silu, stride: 2, padding: 1), Layer.MaximumPooling(2), Layer.AveragePooling(2),
            Layer.Dropout(0.5), Layer.Convolution(4, 3, Activation.Gelu), Layer.Reshape(4, 16), Layer.LayerNormalization(),
            Layer.Dense(5, Activation.Tanh),
            Layer.Flatten(), Layer.Dense(12, Activation.Relu), Layer.Reshape(3, 2, 2), Layer.GlobalAveragePooling(),
            Layer.Activate(Activation.Sigmoid),
            Layer.Dense(4, Activation.Softmax),
        ],
        _ => throw new ArgumentException($"No layers are called '{name}'."),
    };

    private static Layer[] Pictures(Activation activation) =>
    [
        Layer.Convolution(6, 3), Layer.BatchNormalization(Activation.Relu), Layer.MaximumPooling(), Layer.Dropout(0.2), Layer.Flatten(),
        Layer.Dense(10, Activation.Tanh), Layer.LayerNormalization(), Layer.Dense(3, activation),
    ];

    private sealed class ArrayRows(float[][] inputs, float[][] targets) : ITrainingRows
    {
        public int Count => inputs.Length;

        public void ReadInput(int row, Span<float> values) => inputs[row].CopyTo(values);

        public void ReadTarget(int row, Span<float> values) => targets[row].CopyTo(values);
    }
}
