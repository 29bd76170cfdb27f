using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// Trains a MusicGen on music: its decoder and the projection of captions, or the adapters that it has; the codec stays as it is, and the
/// text encoder too where <see cref="MusicTrainingOptions.TrainTextEncoder"/> does not say otherwise. Same schedule, clipping, optimizer
/// and numbers as Hugging Face's <c>Trainer</c> with this model.
/// </summary>
/// <remarks>
/// The same seed, data, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// every epoch's order, every step's dropout and every caption that is left out come from the seed and the epoch's, step's or row's number
/// alone. Runs may go side by side, each in a thread of its own; they draw from generators of their own.
/// </remarks>
public sealed class MusicTrainer
{
    private readonly MusicGenModel _model;
    private readonly MusicTrainingOptions _options;
    private readonly MusicRows _rows;
    private readonly TextTokenizer? _tokenizer;
    private readonly RunPlan _plan;

    /// <summary>Checks options and data.</summary>
    /// <param name="model">What is trained: its parameters that are not frozen, or its adapters. Attach these with
    /// <see cref="Adaptation.LowRankAdaptation"/>, which puts them on the decoder's queries and values where nobody says otherwise.</param>
    /// <param name="options">How.</param>
    /// <param name="training">The music to train on.</param>
    /// <param name="validation">Held-out music for evaluation, early stopping and the best model; null or empty for none.</param>
    /// <param name="tokenizer">The text encoder's, saved with every checkpoint; null where there are no captions.</param>
    /// <exception cref="ArgumentException">An option or the data is not usable; the message says why.</exception>
    public MusicTrainer(
        MusicGenModel model, MusicTrainingOptions options, IReadOnlyList<MusicExample> training,
        IReadOnlyList<MusicExample>? validation = null, TextTokenizer? tokenizer = null)
        : this(
            Checked(model, options), options,
            MusicRows.Read(
                model, tokenizer, training ?? throw new ArgumentNullException(nameof(training)), options.MaximumSeconds, nameof(training)),
            MusicRows.Read(model, tokenizer, validation ?? [], options.MaximumSeconds, nameof(validation)), tokenizer)
    {
    }

    internal MusicTrainer(
        MusicGenModel model, MusicTrainingOptions options, IReadOnlyList<MusicTrainingRow> training,
        IReadOnlyList<MusicTrainingRow> validation, TextTokenizer? tokenizer)
    {
        using var hold = Checked(model, options).Hold();
        model.FreezeConditioning();
        if (options.TrainTextEncoder)
        {
            if (model.Lora is not null)
            {
                throw new ArgumentException(
                    $"{nameof(options.TrainTextEncoder)} is on, but the model has adapters, whose files have no weights of a text encoder. "
                    + "Turn it off, or train all weights.", nameof(options));
            }

            foreach (var parameter in model.TextEncoder.parameters())
                parameter.requires_grad = true;
        }

        if (!model.TrainableParameters().Any())
            throw new ArgumentException("The model has nothing to train: all its parameters are frozen.", nameof(model));
        var frozenPart = model.AdaptedLayers().FirstOrDefault(layer =>
            layer.Name.StartsWith(MusicGenConfiguration.TextEncoderName + ".", StringComparison.Ordinal)).Name;
        if (frozenPart is not null)
        {
            throw new ArgumentException(
                $"The layer '{frozenPart}' of the text encoder has an adapter, but the text encoder is not trained. Leave it out by "
                + $"{nameof(Layers.LoraOptions.ExcludedModules)} or a {nameof(Layers.LoraOptions.TargetPattern)}.", nameof(model));
        }

        if (options.SamplePrompts.Any(prompt => prompt.Length > 0) && tokenizer is null)
            throw new ArgumentException($"{nameof(options.SamplePrompts)} are texts; they need the tokenizer.", nameof(tokenizer));
        (_model, _options, _rows, _tokenizer) = (model, options, new MusicRows(options, training, validation), tokenizer);
        _plan = RunPlan.Of(options, _rows.Schedule, hasValidation: validation.Count > 0, evaluatesStart: true);
        Computation = TrainingComputation.Of(options, model.Device, () => LargestProducts.Of(model));
    }

    /// <summary>The number format of matrix products: what <see cref="TrainingOptions.Precision"/> comes to here.</summary>
    public Precision Precision => Computation.Precision;

    /// <summary>What is computed with.</summary>
    internal TrainingComputation Computation { get; }

    /// <summary>What <see cref="Train"/> takes in memory, for the rows that there are.</summary>
    public MemoryEstimate EstimateMemory()
    {
        var estimate = Memory().Estimate();
        var text = _model.TextEncoder.parameters().Where(parameter => parameter.requires_grad)
            .Sum(parameter => parameter.numel() * parameter.element_size());
        return estimate with { Gradients = estimate.Gradients + text, Optimizer = estimate.Optimizer + 2 * text };
    }

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
    public MusicTrainingResult Train(
        IProgress<MusicProgress>? progress = null, CancellationToken cancellationToken = default, CancellationToken stopAndKeep = default)
    {
        using var hold = _model.Hold();
        if (_model.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(EstimateMemory(), _options, Memory().Remedies);
        using var task = new MusicTask(_model, _options, _rows, Precision.ComputeType()) { Tokenizer = _tokenizer };
        var run = new TrainingRun<MusicProgress>(task, _options, _plan, _rows.Schedule) { Computation = Computation }
            .Run(progress, cancellationToken, stopAndKeep);
        return new MusicTrainingResult
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

    private static MusicGenModel Checked(MusicGenModel model, MusicTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return model;
    }

    /// <summary>What the decoder takes; the text encoder and the codec are in memory already.</summary>
    private LanguageMemory Memory()
    {
        var options = new LanguageTrainingOptions
        {
            BatchSize = _options.BatchSize,
            EvaluationBatchSize = _options.EvaluationBatchSize,
            GradientAccumulationSteps = _options.GradientAccumulationSteps,
            GradientCheckpointing = _options.GradientCheckpointing,
            Precision = Precision,
            Threads = Computation.Threads,
        };
        var (longest, validation) = (_rows.Longest, _rows.LongestValidation);
        var evaluationRows = Math.Min(_options.EvaluationBatchSize ?? _options.BatchSize, _rows.Validation.Count);
        var shape = new LanguageShape(
            Math.Min(_options.BatchSize, _rows.TrainingCount), longest.Columns, evaluationRows, validation.Columns, IsPacked: false)
        {
            EncoderLength = longest.Caption,
            EvaluationEncoderLength = validation.Caption,
        };
        return new LanguageMemory(_model.Decoder, options, shape);
    }
}
