using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Described;

/// <summary>The memory that the training of a network of layers takes, and with which options it takes less.</summary>
/// <param name="network">The network.</param>
/// <param name="options">How it is trained.</param>
internal sealed class ModuleMemory(TransferNetwork network, ModuleTrainingOptions options)
{
    /// <summary>How much larger activations are in the heap than their tensors, for its gaps.</summary>
    private const double Gaps = 1.3;

    /// <summary>
    /// The numbers that a network keeps for each number that it reads, where its layers are not known: those of TorchScript, of ONNX and of
    /// classes of the user's. Convolutional networks for pictures of 224 x 224 pixels keep 50 to 150.
    /// </summary>
    private const long UnknownLayers = 100;

    public MemoryEstimate Estimate() => Estimate(options.BatchSize);

    /// <summary>Changes of options; the last one is all of them together.</summary>
    /// <param name="limit">What is there, in bytes.</param>
    public IReadOnlyList<MemoryRemedy> Remedies(long limit)
    {
        int? smaller = null;
        for (var batch = options.BatchSize / 2; batch >= 1; batch /= 2)
        {
            smaller = batch;
            if (Estimate(batch).Total <= limit)
                break;
        }

        return smaller is not { } size ? [] :
        [
            new MemoryRemedy(
                $"{nameof(TrainingOptions.BatchSize)} = {size} with {nameof(EpochTrainingOptions.GradientAccumulationSteps)} = "
                + $"{(options.BatchSize * options.GradientAccumulationSteps + size - 1) / size}", Estimate(size)),
            new MemoryRemedy("all of these together", Estimate(size)),
        ];
    }

    private MemoryEstimate Estimate(int batchSize)
    {
        var trained = network.TrainableParameters.Sum(p => p.Value.numel());
        var weights = network.ParameterCount * sizeof(float);
        return new MemoryEstimate
        {
            Weights = weights,
            Gradients = trained * sizeof(float),
            Optimizer = OptimizerFactory.StateNumbers(options, trained, Hidden()) * sizeof(float),
            Activations = (long)(Gaps * sizeof(float) * batchSize * Activations()),
            Runtime = ProcessMemory.Runtime(weights),
        };
    }

    private long Hidden() => network.TrainableParameters.Where(p => HiddenMatrices.IsMatrix(p.Value)).Sum(p => p.Value.numel());

    /// <summary>The numbers that a row's way through the network keeps.</summary>
    private long Activations()
    {
        var rows = Product(network.InputShape) + Product(network.OutputShape);
        return rows + Kept(network.NewLayers) + network.Pretrained switch
        {
            null => 0,
            { IsTrainable: false } => 0, // goes through all rows once, before training, a layer at a time
            ModuleBaseNetwork { Module: LayerSequence layers } => Kept(layers),
            _ => UnknownLayers * Product(network.InputShape),
        };
    }

    /// <summary>What layers read, and what they give before their activation.</summary>
    private static long Kept(LayerSequence layers) =>
        layers.Layers.Sum(layer => Product(layer.InputShape) + Product(layer.OutputShape));

    private static long Product(IReadOnlyList<long> shape) => shape.Aggregate(1L, (product, extent) => product * extent);
}
