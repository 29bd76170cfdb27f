using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;

namespace MLTransfer.Networks;

/// <summary>
/// How <see cref="TorchModuleEstimator"/> puts new layers on a pretrained network and trains them. Names follow Keras, given in parentheses where they differ.
/// </summary>
public sealed class TorchModuleOptions
{
    /// <summary>The pretrained network; null to train the new layers alone, from random weights.</summary>
    public PretrainedNetwork? Pretrained;

    /// <summary>
    /// The layers that are put on the pretrained network, in the order of computation. None trains the pretrained network itself, as far as
    /// <see cref="Freezing"/> lets it.
    /// </summary>
    public IReadOnlyList<Layer> NewLayers = [];

    /// <summary>Which of the pretrained network's weights stay as they are (<c>trainable = False</c>).</summary>
    public BaseFreezing Freezing = BaseFreezing.All;

    /// <summary>
    /// The shape of a row's input without the batch, such as [3, 32, 32] for a vector column of 3072 values; null for the network's own where it has one, else
    /// the column's.
    /// </summary>
    public IReadOnlyList<long>? InputShape;

    /// <summary>How the pixels of input images become numbers.</summary>
    public ImageScaling InputScaling = ImageScaling.ZeroToOne;

    /// <summary>How the pixels of label images become numbers, and the network's output becomes pixels.</summary>
    public ImageScaling OutputScaling = ImageScaling.ZeroToOne;

    /// <summary>What training makes small.</summary>
    public TrainingLoss Loss = TrainingLoss.MeanSquaredError;

    /// <summary>How gradients change weights.</summary>
    public OptimizerAlgorithm Optimizer = OptimizerAlgorithm.Adam;

    /// <summary>The optimizer's step size.</summary>
    public double LearningRate = 1e-3;

    /// <summary>The share of the last step that the next one keeps; for stochastic gradient descent only.</summary>
    public double Momentum;

    /// <summary>AdamW's decoupled weight decay; biases and normalization weights are left out.</summary>
    public double WeightDecay;

    /// <summary>How often the training data is gone through (<c>epochs</c>).</summary>
    public int NumberOfEpochs = 10;

    /// <summary>Rows of one step.</summary>
    public int BatchSize = 32;

    /// <summary>Whether every epoch goes through the rows in another random order.</summary>
    public bool Shuffle = true;

    /// <summary>The share of the rows, the last ones, that is held out to measure the validation loss (<c>validation_split</c>).</summary>
    public double ValidationFraction;

    /// <summary>Rows to measure the validation loss on; null for <see cref="ValidationFraction"/> of the training data (<c>validation_data</c>).</summary>
    public IDataView? ValidationData;

    /// <summary>Epochs in a row without a better validation loss after which training stops; 0 for never (<c>EarlyStopping(patience)</c>).</summary>
    public int EarlyStoppingPatience;

    /// <summary>
    /// Whether the network ends with the weights of the epoch with the best validation loss, where there are validation rows
    /// (<c>restore_best_weights</c>).
    /// </summary>
    public bool KeepBestModel = true;

    /// <summary>Rows that <c>Transform</c> computes together.</summary>
    public int TransformBatchSize = 32;

    /// <summary>Decides the new layers' first weights, the order of rows and dropout; null for the seed of the <see cref="MLContext"/>.</summary>
    public long? Seed;

    /// <summary>Told after every epoch, on the thread that calls <c>Fit</c>. <c>MLContext.Log</c> is told in any case.</summary>
    public IProgress<EpochResult>? Progress;

    /// <summary>Stops <c>Fit</c>.</summary>
    public CancellationToken CancellationToken;

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(NewLayers);
        ArgumentNullException.ThrowIfNull(Freezing);
        ArgumentNullException.ThrowIfNull(InputScaling);
        ArgumentNullException.ThrowIfNull(OutputScaling);
        if (Pretrained is null && NewLayers.Count == 0)
            throw new ArgumentException($"Give {nameof(Pretrained)} or {nameof(NewLayers)}: there is no network otherwise.", nameof(Pretrained));
        OptionCheck.FromZeroToLessThanOne(nameof(ValidationFraction), ValidationFraction);
        OptionCheck.AtLeast(nameof(TransformBatchSize), TransformBatchSize, 1);
        if (ValidationData is not null && ValidationFraction > 0)
            throw new ArgumentException($"Give either {nameof(ValidationData)} or {nameof(ValidationFraction)}.", nameof(ValidationFraction));
        if (EarlyStoppingPatience > 0 && ValidationData is null && ValidationFraction == 0)
        {
            throw new ArgumentException(
                $"{nameof(EarlyStoppingPatience)} needs {nameof(ValidationData)} or {nameof(ValidationFraction)}.", nameof(EarlyStoppingPatience));
        }

        ToTrainingOptions(seed: 0).Check();
    }

    internal ModuleTrainingOptions ToTrainingOptions(long seed) => new()
    {
        Loss = Loss,
        Optimizer = Optimizer,
        LearningRate = LearningRate,
        Momentum = Momentum,
        WeightDecay = WeightDecay,
        NumberOfEpochs = NumberOfEpochs,
        BatchSize = BatchSize,
        Shuffle = Shuffle,
        EarlyStoppingPatience = EarlyStoppingPatience,
        KeepBestModel = KeepBestModel,
        Seed = seed,
    };
}
