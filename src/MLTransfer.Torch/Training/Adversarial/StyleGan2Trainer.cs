using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// Trains a StyleGAN2 on few images, starting from a pretrained one (arXiv 1912.04958 with the augmentation of arXiv 2006.06676).
/// </summary>
/// <remarks>
/// The same seed, images, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// all randomness of a step comes from the seed and the step's number alone.
/// </remarks>
public sealed class StyleGan2Trainer
{
    private readonly StyleGan2Model _model;
    private readonly AdversarialTrainingOptions _options;
    private readonly ImageSet _images;
    private readonly IImageFeatureExtractor? _extractor;
    private readonly RowSchedule _rows;
    private readonly RunPlan _plan;

    /// <summary>Checks options and images.</summary>
    /// <param name="model">Both networks are trained. The generator becomes the running mean of the one that is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="images">Of the model's resolution and channels, with labels where the model takes them.</param>
    /// <param name="extractor">Measures distances to the real images while training and at the end; null for no such metrics.</param>
    /// <exception cref="ArgumentException">An option or the images are not usable; the message says why.</exception>
    public StyleGan2Trainer(
        StyleGan2Model model, AdversarialTrainingOptions options, ImageSet images, IImageFeatureExtractor? extractor = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(images);
        using var hold = model.Hold();
        options.Check();
        FrozenBlocks.Check(model, options);
        var generator = model.Generator;
        if (images.Resolution != generator.ImageResolution || images.Channels != generator.ImageChannels)
        {
            throw new ArgumentException($"The images have {images.Channels} channels and {images.Resolution}x{images.Resolution} pixels; "
                + $"the model makes {generator.ImageChannels} channels and {generator.ImageResolution}x{generator.ImageResolution}. "
                + "Resize the images.", nameof(images));
        }

        if (images.LabelWidth != generator.LabelWidth)
        {
            throw new ArgumentException(
                $"The images' labels have width {images.LabelWidth}; the model takes {generator.LabelWidth} (0 is for none).",
                nameof(images));
        }

        var group = Math.Min(model.Discriminator.GroupSize, options.BatchSize);
        if (options.BatchSize % group != 0)
        {
            throw new ArgumentException(
                $"{nameof(options.BatchSize)} is {options.BatchSize}; expected a multiple of {group}, "
                + "the images that the discriminator compares.", nameof(options));
        }

        if (extractor is null && options.EvaluationImages > 0)
            throw new ArgumentException($"{nameof(options.EvaluationImages)} needs a feature extractor.", nameof(extractor));
        if (extractor is not null)
            GeneratorEvaluator.Check(generator, extractor);
        if (options.SampleSeeds.Count > 0 && generator.ImageChannels is not (1 or 3))
        {
            throw new ArgumentException(
                $"{nameof(options.SampleSeeds)} needs pictures of 1 or 3 channels; the model's have {generator.ImageChannels}.",
                nameof(options));
        }

        var steps = (options.TotalImages + options.ImagesPerStep - 1) / options.ImagesPerStep;
        if (steps > int.MaxValue)
            throw new ArgumentException($"{nameof(options.TotalImages)} of {options.TotalImages} takes more than {int.MaxValue} steps.",
                nameof(options));
        (_model, _options, _images, _extractor) = (model, options, images, extractor);
        _rows = new RowSchedule(images.Count, options.ImagesPerStep, epoch => RowOrder.Shuffled(images.Count, options.Seed, epoch),
            fillsSteps: true);
        _plan = new RunPlan
        {
            TotalSteps = (int)steps,
            LearningRate = _ => options.LearningRate,
            AmountPerStep = options.ImagesPerStep,
            HasEvaluation = extractor is not null,
            EvaluationInterval = options.EvaluationImages,
            AnswerInterval = options.SampleImages > 0 ? options.SampleImages : null,
            SaveInterval = options.CheckpointImages,
        };
        Computation = TrainingComputation.Of(options, generator.Device, () => LargestProducts.Of(model));
    }

    /// <summary>
    /// The number format of features: what <see cref="TrainingOptions.Precision"/> says or, for <see cref="Precision.Auto"/>, what it comes
    /// to here.
    /// </summary>
    public Precision Precision => Computation.Precision;

    /// <summary>What is computed with.</summary>
    internal TrainingComputation Computation { get; }

    /// <summary>What <see cref="Train"/> takes in memory.</summary>
    public MemoryEstimate EstimateMemory() => new AdversarialMemory(_model, _options).Estimate();

    /// <summary>Runs the training.</summary>
    /// <param name="progress">Told after every step, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every step. On cancellation, and when <paramref name="progress"/> throws, model and files are as after the last
    /// checkpoint, or, where there is none, as at the start; sample grids stay.
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
    /// A loss or gradient became NaN or infinite. The model has the weights of the last checkpoint before, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other images, options or another
    /// model.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public StyleGan2TrainingResult Train(
        IProgress<StyleGan2Progress>? progress = null, CancellationToken cancellationToken = default,
        CancellationToken stopAndKeep = default)
    {
        using var hold = _model.Hold();
        var memory = new AdversarialMemory(_model, _options);
        if (_model.Generator.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        using var task = new StyleGan2Task(_model, _options, _images, _extractor, Precision.ComputeType());
        var run = new TrainingRun<StyleGan2Progress>(task, _options, _plan, _rows) { Computation = Computation }
            .Run(progress, cancellationToken, stopAndKeep);
        return new StyleGan2TrainingResult
        {
            Steps = run.State.Step,
            Images = (long)run.State.Step * _options.ImagesPerStep,
            FrechetDistance = task.Distances?.FrechetDistance,
            KernelDistance = task.Distances?.KernelDistance,
            StoppedOnRequest = run.StoppedOnRequest,
            History = run.History,
            Elapsed = run.Elapsed,
        };
    }
}
