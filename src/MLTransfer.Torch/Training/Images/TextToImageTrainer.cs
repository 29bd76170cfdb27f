using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Images;

/// <summary>
/// Trains a network that writes codes of pictures on captioned pictures: its weights that are not frozen, or the adapters that it has; the
/// codec stays as it is. Same schedule, clipping and optimizer as Hugging Face's <c>Trainer</c>.
/// </summary>
/// <remarks>
/// The same seed, data, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// every epoch's order, every step's dropout and every caption that is left out come from the seed and the epoch's, step's or row's number
/// alone. Runs may go side by side, each in a thread of its own; they draw from generators of their own.
/// </remarks>
public sealed class TextToImageTrainer
{
    private readonly TextToImageModel _model;
    private readonly TextToImageTrainingOptions _options;
    private readonly TextToImageRows _rows;
    private readonly TextTokenizer? _tokenizer;
    private readonly RunPlan _plan;

    /// <summary>Checks options and data.</summary>
    /// <param name="model">What is trained: its parameters that are not frozen, or its adapters (see
    /// <see cref="Adaptation.LowRankAdaptation"/>).</param>
    /// <param name="options">How.</param>
    /// <param name="training">The pictures to train on.</param>
    /// <param name="validation">Held-out pictures for evaluation, early stopping and the best model; null or empty for none.</param>
    /// <param name="tokenizer">The tokenizer of captions, saved with every checkpoint; null where there are no captions.</param>
    /// <exception cref="ArgumentException">An option or the data is not usable; the message says why.</exception>
    public TextToImageTrainer(
        TextToImageModel model, TextToImageTrainingOptions options, IReadOnlyList<TextToImageExample> training,
        IReadOnlyList<TextToImageExample>? validation = null, TextTokenizer? tokenizer = null)
        : this(
            Checked(model, options), options,
            TextToImageRows.Read(model, tokenizer, training ?? throw new ArgumentNullException(nameof(training)), nameof(training)),
            TextToImageRows.Read(model, tokenizer, validation ?? [], nameof(validation)), tokenizer)
    {
    }

    internal TextToImageTrainer(
        TextToImageModel model, TextToImageTrainingOptions options, IReadOnlyList<TextToImageRow> training,
        IReadOnlyList<TextToImageRow> validation, TextTokenizer? tokenizer)
    {
        using var hold = Checked(model, options).Hold();
        foreach (var parameter in model.Codec.parameters())
            parameter.requires_grad = false;
        if (model.Codec.AdaptedLayers().FirstOrDefault().Name is { } adapted)
        {
            throw new ArgumentException(
                $"The layer '{adapted}' of the codec has an adapter, but the codec is not trained. Leave it out by "
                + $"{nameof(Layers.LoraOptions.ExcludedModules)} or a {nameof(Layers.LoraOptions.TargetPattern)}.", nameof(model));
        }

        if (!model.TrainableParameters().Any())
            throw new ArgumentException("The model has nothing to train: all its parameters are frozen.", nameof(model));
        if (options.SamplePrompts.Any(prompt => prompt.Length > 0) && tokenizer is null)
            throw new ArgumentException($"{nameof(options.SamplePrompts)} are texts; they need the tokenizer.", nameof(tokenizer));
        (_model, _options, _rows, _tokenizer) = (model, options, new TextToImageRows(options, training, validation), tokenizer);
        _plan = RunPlan.Of(options, _rows.Schedule, hasValidation: validation.Count > 0, evaluatesStart: true);
        Computation = TrainingComputation.Of(options, model.Device, () => LargestProducts.Of(model));
    }

    /// <summary>The number format of matrix products: what <see cref="TrainingOptions.Precision"/> comes to here.</summary>
    public Precision Precision => Computation.Precision;

    /// <summary>What is computed with.</summary>
    internal TrainingComputation Computation { get; }

    /// <summary>What <see cref="Train"/> takes in memory.</summary>
    public MemoryEstimate EstimateMemory() => Memory().Estimate();

    /// <summary>Runs the training. The model is in evaluation mode afterwards, with its last or its best weights.</summary>
    /// <param name="progress">Told after every step and evaluation, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every pass. On cancellation, and when <paramref name="progress"/> throws, model and files are as after the last
    /// checkpoint, or, where there is none, as at the start.
    /// </param>
    /// <param name="stopAndKeep">Checked after every step: the run ends there as if it were the last one.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">
    /// The run would take more memory than <see cref="TrainingOptions.MemoryLimit"/> allows; the message tells what would take less.
    /// </exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient became NaN or infinite.</exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other rows, options or another
    /// model.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public TextToImageTrainingResult Train(
        IProgress<TextToImageProgress>? progress = null, CancellationToken cancellationToken = default,
        CancellationToken stopAndKeep = default)
    {
        using var hold = _model.Hold();
        var memory = Memory();
        if (_model.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        using var task = new TextToImageTask(_model, _options, _rows, Precision.ComputeType()) { Tokenizer = _tokenizer };
        var run = new TrainingRun<TextToImageProgress>(task, _options, _plan, _rows.Schedule) { Computation = Computation }
            .Run(progress, cancellationToken, stopAndKeep);
        return new TextToImageTrainingResult
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

    private TextToImageMemory Memory() =>
        new(_model, _options with { BatchSize = Math.Min(_options.BatchSize, _rows.TrainingCount) });

    private static TextToImageModel Checked(TextToImageModel model, TextToImageTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return model;
    }
}
