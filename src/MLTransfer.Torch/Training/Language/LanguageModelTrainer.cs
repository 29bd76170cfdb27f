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
    private readonly TransformerTraining _training;

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
        if (options.SequencesPerRow > 1)
        {
            throw new ArgumentException(
                $"{options.GetType().Name} are for pairs of texts; give {nameof(LanguageTrainingOptions)}.", nameof(options));
        }

        (_model, _options, _rows, _tokenizer) = (model, options, rows, tokenizer);
        _training = new TransformerTraining(model, options, rows.Schedule, LanguageShape.Of(options, rows), tokenizer);
    }

    /// <summary>
    /// The number format of matrix products: what <see cref="TrainingOptions.Precision"/> says or, for <see cref="Precision.Auto"/>, what
    /// it comes to here.
    /// </summary>
    public Precision Precision => Computation.Precision;

    /// <summary>What is computed with.</summary>
    internal TrainingComputation Computation => _training.Computation;

    /// <summary>
    /// Answers <see cref="LanguageTrainingOptions.SamplePrompts"/> where they are no texts to be continued; null where they are.
    /// </summary>
    internal Func<IReadOnlyList<string>, GenerationOptions, CancellationToken, IReadOnlyList<IReadOnlyList<GeneratedText>>>? AnswerSamples
    {
        get; init;
    }

    /// <summary>What <see cref="Train"/> takes in memory, for the rows that there are.</summary>
    public MemoryEstimate EstimateMemory() => _training.EstimateMemory();

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
        CancellationToken stopAndKeep = default) => _training.Train(
        type => new LanguageTask(_model, _options, _rows, type) { Tokenizer = _tokenizer, AnswerSamples = AnswerSamples },
        progress, cancellationToken, stopAndKeep);
}
