using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>
/// How <see cref="TorchModuleEstimator"/> puts new layers on a pretrained network and trains them. Names follow Keras, given in parentheses
/// where they differ.
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
    /// The shape of a row's input without the batch, such as [3, 32, 32] for a vector column of 3072 values; null for the network's own
    /// where it has one, else the column's.
    /// </summary>
    public IReadOnlyList<long>? InputShape;

    /// <summary>How the pixels of input images become numbers.</summary>
    public ImageScaling InputScaling = ImageScaling.ZeroToOne;

    /// <summary>How the pixels of label images become numbers, and the network's output becomes pixels.</summary>
    public ImageScaling OutputScaling = ImageScaling.ZeroToOne;

    /// <summary>How the layers are trained: loss, optimizer, epochs. Its seed stays as it is: <see cref="Seed"/> decides.</summary>
    public ModuleTrainingOptions Training = new();

    /// <summary>The share of the rows, the last ones, that is held out to measure the validation loss (<c>validation_split</c>).</summary>
    public double ValidationFraction;

    /// <summary>
    /// Rows to measure the validation loss on; null for <see cref="ValidationFraction"/> of the training data (<c>validation_data</c>).
    /// </summary>
    public IDataView? ValidationData;

    /// <summary>
    /// The column for the most probable class, a key with the values of the label, where the label is a key; and for whether the
    /// probability is more than 0.5, where it is a Boolean and the loss <see cref="TrainingLoss.BinaryCrossEntropy"/>. Null for none.
    /// </summary>
    public string? PredictedLabelColumnName = "PredictedLabel";

    /// <summary>
    /// The column for the logarithm of the odds, which <c>BinaryClassification.Evaluate</c> looks at, where the label is a Boolean and the
    /// loss <see cref="TrainingLoss.BinaryCrossEntropy"/>. Null for none.
    /// </summary>
    public string? ScoreColumnName = "Score";

    /// <summary>Rows that <c>Transform</c> computes together, up to 1,048,576.</summary>
    public int TransformBatchSize = 32;

    /// <summary>
    /// Decides the new layers' first weights, the order of rows and dropout; null for the seed of the <see cref="MLContext"/>.
    /// </summary>
    public long? Seed;

    /// <summary>Told after every epoch, on the thread that calls <c>Fit</c>. <c>MLContext.Log</c> is told in any case.</summary>
    public IProgress<EpochResult>? Progress;

    /// <summary>Stops <c>Fit</c>: it throws <see cref="OperationCanceledException"/>, which says what is kept.</summary>
    public CancellationToken CancellationToken;

    /// <summary>
    /// Ends training after the step that is being done and keeps what was learned: <c>Fit</c> returns its transformer, with a last
    /// evaluation, the weights that the options keep and, where there are checkpoints, one that a later run resumes from.
    /// <see cref="CancellationToken"/> throws instead.
    /// </summary>
    public CancellationToken StopAndKeep;

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(NewLayers);
        ArgumentNullException.ThrowIfNull(Freezing);
        ArgumentNullException.ThrowIfNull(InputScaling);
        ArgumentNullException.ThrowIfNull(OutputScaling);
        OptionCheck.Training(Training);
        if (Pretrained is null && NewLayers.Count == 0)
        {
            throw new ArgumentException(
                $"Give {nameof(Pretrained)} or {nameof(NewLayers)}: there is no network otherwise.", nameof(Pretrained));
        }
        OptionCheck.FromZeroToLessThanOne(nameof(ValidationFraction), ValidationFraction);
        CheckTransformBatchSize(TransformBatchSize);
        OptionCheck.ColumnName(nameof(PredictedLabelColumnName), PredictedLabelColumnName);
        OptionCheck.ColumnName(nameof(ScoreColumnName), ScoreColumnName);
        if (ValidationData is not null && ValidationFraction > 0)
        {
            throw new ArgumentException(
                $"Give either {nameof(ValidationData)} or {nameof(ValidationFraction)}.", nameof(ValidationFraction));
        }
        if (Training.EarlyStoppingPatience > 0 && ValidationData is null && ValidationFraction == 0)
        {
            throw new ArgumentException(
                $"{nameof(ModuleTrainingOptions.EarlyStoppingPatience)} needs {nameof(ValidationData)} or {nameof(ValidationFraction)}.",
                nameof(ModuleTrainingOptions.EarlyStoppingPatience));
        }
    }

    /// <exception cref="ArgumentException">It is out of range.</exception>
    internal static void CheckTransformBatchSize(int value)
    {
        OptionCheck.AtLeast(nameof(TransformBatchSize), value, 1);
        OptionCheck.AtMost(nameof(TransformBatchSize), value, 1 << 20, "the largest batch");
    }
}
