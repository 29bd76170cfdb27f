using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// Trains a language model, as Hugging Face's <c>Trainer</c> does: same schedule, same clipping, same optimizer, same numbers.
/// </summary>
/// <remarks>
/// The same seed, data, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// every epoch's order and every step's dropout come from the seed and the epoch's or step's number alone. Runs may go side by side, each
/// in a thread of its own; they draw from generators of their own.
/// </remarks>
public sealed class LanguageModelTrainer
{
    private readonly TransformerNetwork _model;
    private readonly LanguageTrainingOptions _options;
    private readonly LanguageRows _rows;
    private readonly TextTokenizer? _tokenizer;
    private readonly RunPlan _plan;

    /// <summary>Checks options and data.</summary>
    /// <param name="model">What is trained: its parameters that are not frozen, or its adapters.</param>
    /// <param name="options">How.</param>
    /// <param name="training">The rows to train on. Rows without a token to predict are left out.</param>
    /// <param name="validation">Held-out rows for evaluation, early stopping and the best model; null or empty for none.</param>
    /// <param name="tokenizer">
    /// Saved with every checkpoint, so that a checkpoint is complete, and reads <see cref="LanguageTrainingOptions.SamplePrompts"/>; null
    /// for checkpoints without.
    /// </param>
    /// <param name="corruption">
    /// Makes of plain rows those that the model learns to restore, anew in every epoch; null where rows are read as they are.
    /// </param>
    /// <exception cref="ArgumentException">An option or the data is not usable; the message says why.</exception>
    public LanguageModelTrainer(
        TransformerNetwork model,
        LanguageTrainingOptions options,
        IReadOnlyList<TrainingExample> training,
        IReadOnlyList<TrainingExample>? validation = null,
        TextTokenizer? tokenizer = null,
        RowCorruption? corruption = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(training);
        using var hold = model.Hold();
        options.Check();
        var rows = new LanguageRows(model, options, training, validation, corruption);
        if (!model.TrainableParameters().Any())
            throw new ArgumentException("The model has nothing to train: all its parameters are frozen.", nameof(model));
        if (options.SamplePrompts.Count > 0 && tokenizer is null)
            throw new ArgumentException($"{nameof(options.SamplePrompts)} are texts; they need the tokenizer.", nameof(tokenizer));
        if (options.SamplePrompts.Count > 0 && model.Decoder is null)
        {
            throw new ArgumentException(
                $"{nameof(options.SamplePrompts)} are continued by a decoder; the model is a {model.GetType().Name}. Leave them out.",
                nameof(options));
        }

        if (options.FrozenFormat is not null)
            FrozenMatrices.Check(model);
        model.WidenTrained();
        (_model, _options, _rows, _tokenizer) = (model, options, rows, tokenizer);
        _plan = RunPlan.Of(options, rows.Schedule, hasValidation: rows.Validation.Count > 0, evaluatesStart: true);
        Computation = TrainingComputation.Of(options, model.Device, () => LargestProducts.Of(model));
    }

    /// <summary>
    /// The number format of matrix products: what <see cref="TrainingOptions.Precision"/> says or, for <see cref="Precision.Auto"/>, what
    /// it comes to here.
    /// </summary>
    public Precision Precision => Computation.Precision;

    /// <summary>What is computed with.</summary>
    internal TrainingComputation Computation { get; }

    /// <summary>
    /// Answers <see cref="LanguageTrainingOptions.SamplePrompts"/> where they are no texts to be continued; null where they are.
    /// </summary>
    internal Func<IReadOnlyList<string>, GenerationOptions, CancellationToken, IReadOnlyList<IReadOnlyList<GeneratedText>>>? AnswerSamples
    {
        get; init;
    }

    /// <summary>What <see cref="Train"/> takes in memory, for the rows that there are.</summary>
    public MemoryEstimate EstimateMemory() => Memory().Estimate();

    /// <summary>Runs the training. The model is in evaluation mode afterwards, with its last or its best weights.</summary>
    /// <remarks>
    /// A second call is a new run that starts from the weights that the first one left, with the schedule and the order of rows from the
    /// beginning. With <see cref="TrainingOptions.Resume"/> it goes on from the newest checkpoint instead, which may be that of the last
    /// step.
    /// </remarks>
    /// <param name="progress">Told after every step and evaluation, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every pass. On cancellation, and when <paramref name="progress"/> throws, model and files are as after the last
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
    /// A loss or gradient became NaN or infinite. The model has the weights that were best on the validation rows, else those of the last
    /// checkpoint whose weights gave a finite loss, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other rows, options or another
    /// model.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public TrainingResult Train(
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default,
        CancellationToken stopAndKeep = default)
    {
        using var hold = _model.Hold();
        var memory = Memory();
        if (_model.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        using var task = new LanguageTask(_model, _options, _rows, Precision.ComputeType())
        {
            Tokenizer = _tokenizer, AnswerSamples = AnswerSamples,
        };
        var run = new TrainingRun<TrainingProgress>(task, _options, _plan, _rows.Schedule) { Computation = Computation }
            .Run(progress, cancellationToken, stopAndKeep);
        return new TrainingResult
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

    private LanguageMemory Memory() => new(_model, Computation.Fix(_options), LanguageShape.Of(_options, _rows));
}
