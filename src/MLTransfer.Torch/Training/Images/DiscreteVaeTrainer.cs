using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;

namespace MLTransfer.Torch.Training.Images;

/// <summary>
/// Trains a discrete VAE on pictures (arXiv 2102.12092, stage one): a new one, or a pretrained one on pictures of another kind.
/// </summary>
/// <remarks>
/// The same seed, pictures, options, machine and thread count give the same weights to the bit, also when the run is interrupted and
/// resumed: all randomness of a step comes from the seed, the step's number and the row alone.
/// </remarks>
public sealed class DiscreteVaeTrainer
{
    private readonly DiscreteVaeModel _model;
    private readonly DiscreteVaeTrainingOptions _options;
    private readonly ImageSet _images;
    private readonly ImageSet? _validation;
    private readonly RowSchedule _rows;
    private readonly DiscreteVaeSchedule _schedule;
    private readonly RunPlan _plan;

    /// <summary>Checks options and pictures.</summary>
    /// <param name="model">Its parameters are trained, less those that are frozen.</param>
    /// <param name="options">How.</param>
    /// <param name="images">Pictures of three channels, whose side is a number of whole codes. Labels are not heeded.</param>
    /// <param name="validation">Held-out pictures for evaluations, early stopping and the best weights; null for none.</param>
    /// <exception cref="ArgumentException">An option or the pictures are not usable; the message says why.</exception>
    public DiscreteVaeTrainer(
        DiscreteVaeModel model, DiscreteVaeTrainingOptions options, ImageSet images, ImageSet? validation = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(images);
        using var hold = model.Hold();
        options.Check();
        Check(model, images, nameof(images));
        if (validation is not null)
            Check(model, validation, nameof(validation));
        if (DiscreteVaeUpdates.DistanceOf(model, options) == ReconstructionLoss.LogitLaplace && !model.Layout.HasMargin)
        {
            throw new ArgumentException(
                $"{ReconstructionLoss.LogitLaplace} needs pixels with a margin from 0 and 1; logit_laplace_eps of the model is 0.",
                nameof(options));
        }

        if (!model.TrainableParameters().Any())
            throw new ArgumentException("There is nothing to train: all parameters of the codec are frozen.", nameof(model));
        (_model, _options, _images, _validation) = (model, options, images, validation);
        _rows = RowSchedule.Of(options, images.Count, epoch => options.Shuffle
            ? RowOrder.Shuffled(images.Count, options.Seed, epoch) : [.. Enumerable.Range(0, images.Count)]);
        var plan = RunPlan.Of(options, _rows, hasValidation: validation is not null, evaluatesStart: true);
        _schedule = new DiscreteVaeSchedule(options, model.Layout.Objective, plan.TotalSteps);
        _plan = plan with { LearningRate = _schedule.LearningRate };
    }

    /// <summary>What <see cref="Train"/> takes in memory, about.</summary>
    public MemoryEstimate EstimateMemory() => Memory().Estimate();

    /// <summary>Runs the training. The codec is in evaluation mode afterwards, with its last or its best weights.</summary>
    /// <param name="progress">Told after every step, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every pass. On cancellation, and when <paramref name="progress"/> throws, codec and files are as after the last
    /// checkpoint, or, where there is none, as at the start.
    /// </param>
    /// <param name="stopAndKeep">
    /// Checked after every step: the run ends there as if it were the last one, with an evaluation, the weights that the options keep and,
    /// where there are checkpoints, one that a later run resumes from.
    /// </param>
    /// <exception cref="OperationCanceledException">
    /// The run was cancelled; the message says at which step, and which checkpoint is the last.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">
    /// The run would take more memory than <see cref="TrainingOptions.MemoryLimit"/> allows; the message tells what would take less.
    /// </exception>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient became NaN or infinite. The codec has the weights that were best on the validation pictures, else those of the
    /// last checkpoint before, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other pictures, options or
    /// another codec.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public DiscreteVaeTrainingResult Train(
        IProgress<DiscreteVaeProgress>? progress = null, CancellationToken cancellationToken = default,
        CancellationToken stopAndKeep = default)
    {
        using var hold = _model.Hold();
        var memory = Memory();
        if (_model.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        using var task = new DiscreteVaeTask(_model, _options, _images, _validation, _schedule, _rows.StepsPerEpoch);
        var run = new TrainingRun<DiscreteVaeProgress>(task, _options, _plan, _rows).Run(progress, cancellationToken, stopAndKeep);
        return new DiscreteVaeTrainingResult
        {
            Steps = run.State.Step,
            ModelStep = run.ModelStep,
            InitialValidationLoss = run.State.InitialValidationLoss,
            ValidationLoss = run.ValidationLoss,
            StoppedEarly = run.StoppedEarly,
            StoppedOnRequest = run.StoppedOnRequest,
            History = run.History,
            Elapsed = run.Elapsed,
        };
    }

    private static void Check(DiscreteVaeModel model, ImageSet images, string name)
    {
        if (images.Channels != 3 || images.Resolution % model.DownsamplingFactor != 0)
        {
            throw new ArgumentException(
                $"The pictures have {images.Channels} channels and {images.Resolution}x{images.Resolution} pixels; the codec takes 3 "
                + $"channels, and sides that are multiples of {model.DownsamplingFactor}. Resize or convert the pictures.", name);
        }
    }

    private DiscreteVaeMemory Memory() => new(_model, _options, _images.Resolution);
}
