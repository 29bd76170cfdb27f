using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Ranks;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Trains new layers, and of the pretrained network under them what is not frozen; Keras' <c>model.fit</c>.</summary>
/// <remarks>
/// A wholly frozen network computes its features once for each row. The same seed, rows and options give the same weights to the bit on the
/// same machine with the same thread count, also when the run is interrupted and resumed. Runs may go side by side, each in a thread of its
/// own; they draw from generators of their own. A module that is no layer of this library may draw from libtorch's one generator of the
/// process: such runs take turns in its forward pass.
/// </remarks>
public sealed class NetworkTrainer
{
    private readonly TransferNetwork _network;
    private readonly ModuleTrainingOptions _options;
    private readonly RowLosses _losses;

    /// <summary>Checks the options.</summary>
    /// <param name="network">What is trained.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the network, or there is nothing to train.</exception>
    public NetworkTrainer(TransferNetwork network, ModuleTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        using var hold = network.Hold();
        options.Check();
        if (options.Loss == TrainingLoss.CategoricalCrossEntropy && network.OutputShape is not [> 1])
        {
            throw new ArgumentException(
                $"{options.Loss} needs a network that gives a vector of two or more classes; it gives "
                + $"[{string.Join(", ", network.OutputShape)}].");
        }

        if (!network.TrainableParameters.Any())
        {
            throw new ArgumentException(
                "There is nothing to train: there are no new layers with weights, and the pretrained network is frozen.");
        }

        ProbabilityCheck.ThrowIfNone(network, options.Loss);
        if (options.Collective is { Size: > 1 } && BatchStatistics.FindIn(network) is { } part)
        {
            RunRanks.Refuse(
                options, $"the batch normalization '{part}'",
                "it mixes the rows of a pass. Freeze it, use layer normalization, or train in one process.");
        }

        (_network, _options) = (network, options);
        _losses = new RowLosses(network, new LossFunction(options.Loss, network.NewLayers.FinalActivation));
    }

    /// <summary>Told after every step, on the thread that calls <see cref="Train"/>.</summary>
    public IProgress<ModuleProgress>? StepProgress { get; init; }

    /// <summary>
    /// The pixel, 0 to 255, that a value of a channel stands for, so that <see cref="ModuleTrainingOptions.SampleRows"/> are shown as
    /// pictures; null where outputs are no pictures.
    /// </summary>
    internal Func<int, float, float>? PixelOf { get; init; }

    /// <summary>What <see cref="Train"/> takes in memory.</summary>
    public MemoryEstimate EstimateMemory() => new ModuleMemory(_network, _options).Estimate();

    /// <summary>Runs the training. The network is in inference state afterwards, with its last or its best weights.</summary>
    /// <param name="training">The rows to train on.</param>
    /// <param name="validation">Held-out rows for the validation loss, early stopping and the best weights; null for none.</param>
    /// <param name="progress">Told after every epoch, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every batch. On cancellation, and when <paramref name="progress"/> throws, network and files are as after the last
    /// checkpoint, or, where there is none, as at the start.
    /// </param>
    /// <param name="stopAndKeep">
    /// Checked after every step: the run ends there as if it were the last one, with an evaluation, the weights that the options keep and,
    /// where there are checkpoints, one that a later run resumes from.
    /// </param>
    /// <exception cref="ArgumentException">There are no rows, or early stopping lacks validation rows.</exception>
    /// <exception cref="OperationCanceledException">
    /// The run was cancelled; the message says at which step, and which checkpoint is the last.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">
    /// The run would take more memory than <see cref="TrainingOptions.MemoryLimit"/> allows; the message tells what would take less.
    /// </exception>
    /// <exception cref="TrainingDivergedException">
    /// A loss, gradient or weight became NaN or infinite. The network has the weights that were best on the validation rows, else those of
    /// the last checkpoint whose weights gave a finite loss, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other rows, options or another
    /// network.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public TrainingHistory Train(
        ITrainingRows training, ITrainingRows? validation = null, IProgress<EpochResult>? progress = null,
        CancellationToken cancellationToken = default, CancellationToken stopAndKeep = default)
    {
        ArgumentNullException.ThrowIfNull(training);
        using var hold = _network.Hold();
        if (training.Count == 0)
            throw new ArgumentException("There is nothing to train on: there are no rows.", nameof(training));
        if (validation is { Count: 0 })
            validation = null;
        var memory = new ModuleMemory(_network, _options);
        MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        var rows = RowSchedule.Of(_options, training.Count, epoch => _options.Shuffle
            ? RowOrder.Shuffled(training.Count, _options.Seed, epoch + 1)
            : [.. Enumerable.Range(0, training.Count)]);
        var plan = RunPlan.Of(_options, rows, hasValidation: validation is not null, evaluatesStart: false);
        using var task = new ModuleTask(_network, _options, plan, rows.StepsPerEpoch, _losses, training, validation)
        {
            Progress = progress, PixelOf = PixelOf,
        };
        var run = new TrainingRun<ModuleProgress>(task, _options, plan, rows).Run(StepProgress, cancellationToken, stopAndKeep);
        return new TrainingHistory
        {
            Epochs = task.Epochs,
            MetricName = _losses.Function.MetricName,
            ModelEpoch = ModuleTask.EpochOf(run.ModelStep, rows.StepsPerEpoch),
            StoppedEarly = run.StoppedEarly && run.State.Step < plan.TotalSteps,
            StoppedOnRequest = run.StoppedOnRequest,
        };
    }

    /// <summary>The loss and the metric on rows, without training.</summary>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public (double Loss, double Metric) Evaluate(ITrainingRows rows, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        using var hold = _network.Hold();
        return _losses.Evaluate(rows, _options.EvaluationBatchSize ?? _options.BatchSize, RunRanks.Alone, cancellationToken);
    }
}
